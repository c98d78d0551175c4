# Sourced: where the Kotlin compiler is, and what tests are compiled and run with.
kotlin_lib=$tools/node_modules/kotlin-compiler/lib
jars=/usr/share/java
kotlinc() { bash "$kotlin_lib/../bin/kotlinc" -jvm-target 17 "$@"; }
runtime=$jars/jna.jar:$kotlin_lib/kotlinx-coroutines-core-jvm.jar:$kotlin_lib/kotlin-stdlib.jar
testing=$kotlin_lib/kotlin-test.jar:$kotlin_lib/kotlin-test-junit5.jar:$jars/junit-jupiter-api.jar:$jars/opentest4j.jar:$jars/apiguardian-api.jar
launcher=$(printf "%s:" "$jars"/junit-platform-{console,launcher,engine,commons,reporting}.jar "$jars"/junit-jupiter-engine.jar "$jars"/picocli.jar "$jars"/opentest4j-reporting-events.jar)
