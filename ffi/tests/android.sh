# Sourced by ffi/test-bindings.sh: every Kotlin source of the AAR against stubs of Android's API, and
# the sample app with it. This checks names, types and nullability, not behaviour or permissions.
wait
android=$tools/android
jar=$android/deb/usr/share/maven-repo/com/android/android/23/android-23.jar
[ "$(type -t kotlinc)" = function ] || . ffi/tests/kotlin_compiler.sh
if [ ! -d "$android/stubs-36" ]; then
  mkdir "$android/stubs-36"
  find "$android/stubs-src" -name '*.java' -print0 |
    xargs -0 javac -nowarn -d "$android/stubs-36" -cp "$jar:$kotlin_lib/annotations-13.0.jar"
fi

generate kotlin "$work/android-generated" ffi/uniffi-android.toml
android_classes=$android/stubs-36:$jar:$jars/jna.jar:$kotlin_lib/kotlinx-coroutines-core-jvm.jar:$kotlin_lib/kotlin-stdlib.jar
android_kotlinc() { bash "$kotlin_lib/../bin/kotlinc" -jvm-target 1.8 -no-jdk -no-stdlib "$@"; }
check 'generated Kotlin for Android compiles' \
  android_kotlinc -nowarn -cp "$android_classes" -d "$work/android-bindings.jar" "$work/android-generated"
check 'the library compiles against API 23 and 36' \
  android_kotlinc -Xexplicit-api=strict -cp "$android_classes:$work/android-bindings.jar" \
  -d "$work/android.jar" android/chikaku/src/main/kotlin
check 'the sample app and the README compile' \
  android_kotlinc -cp "$android_classes:$work/android-bindings.jar:$work/android.jar" \
  -d "$work/android-sample.jar" android/sample/src/main/kotlin "$(readme_code android/README.md kotlin "$work/AndroidReadme.kt")"
