plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "dev.chikaku.sample"
    compileSdk = 36
    defaultConfig {
        applicationId = "dev.chikaku.sample"
        minSdk = 23
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
    }
}

kotlin { jvmToolchain(17) }

dependencies { implementation(project(":chikaku")) }
