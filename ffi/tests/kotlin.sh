# Sourced by ffi/test-bindings.sh: the generated Kotlin and the tests, on the JVM.
wait
kotlin_lib=$tools/node_modules/kotlin-compiler/lib
jars=/usr/share/java
kotlinc() { bash "$kotlin_lib/../bin/kotlinc" -jvm-target 17 "$@"; }
runtime=$jars/jna.jar:$kotlin_lib/kotlinx-coroutines-core-jvm.jar:$kotlin_lib/kotlin-stdlib.jar
testing=$kotlin_lib/kotlin-test.jar:$kotlin_lib/kotlin-test-junit5.jar:$jars/junit-jupiter-api.jar:$jars/opentest4j.jar:$jars/apiguardian-api.jar
launcher=$(printf "%s:" "$jars"/junit-platform-{console,launcher,engine,commons,reporting}.jar "$jars"/junit-jupiter-engine.jar "$jars"/picocli.jar "$jars"/opentest4j-reporting-events.jar)

generate kotlin "$work/kotlin"
check 'generated Kotlin masks the checksums' grep -q 0xFFFF -r "$work/kotlin"
kotlinc -nowarn -cp "$runtime" -d "$work/bindings.jar" "$work/kotlin"
kotlinc -Werror -cp "$runtime:$work/bindings.jar:$testing" -d "$work/kotlin-tests.jar" android/chikaku/src/test/kotlin
java -Djna.library.path="$(dirname "$library")" -cp "$work/bindings.jar:$work/kotlin-tests.jar:$runtime:$testing:$launcher" \
  org.junit.platform.console.ConsoleLauncher --disable-banner --disable-ansi-colors --details=tree --fail-if-no-tests \
  --scan-class-path="$work/kotlin-tests.jar" 2>&1 | tee "$work/kotlin.log" || true
succeeded=$(sed -n 's/^\[ *\([0-9]*\) tests successful *\]$/\1/p' "$work/kotlin.log")
broken=$(sed -n 's/^\[ *\([0-9]*\) tests failed *\]$/\1/p' "$work/kotlin.log")
count "${succeeded:-0}" "${broken:-1}"
