plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
    `maven-publish`
}

group = "dev.chikaku"
version = "0.1.0"

android {
    namespace = "dev.chikaku"
    compileSdk = 36

    defaultConfig {
        minSdk = 23
        consumerProguardFiles("consumer-rules.pro")
    }

    // build-libraries.sh puts the generated Kotlin and the four libraries there.
    sourceSets["main"].kotlin.srcDir("build/generated-bindings")

    publishing {
        singleVariant("release") {
            withSourcesJar()
        }
    }
}

kotlin {
    explicitApi()
    jvmToolchain(17)
}

dependencies {
    api(libs.coroutines)
    // The AAR of JNA brings its own native part for each ABI.
    implementation("${libs.jna.get()}@aar")
    testImplementation(libs.jna)
    testImplementation(libs.kotlin.test)
}

tasks.withType<Test> {
    useJUnitPlatform()
    // The tests run against the library of this machine; see ffi/test-bindings.sh.
    systemProperty("jna.library.path", rootDir.resolve("../target/mobile").path)
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "chikaku-android"
            afterEvaluate { from(components["release"]) }
        }
    }
}
