# The fuzz targets. In every build they link a main that replays files, so that they never rot; with GRADSMITH_LIBFUZZER
# they are libFuzzer programs, and bounded runs of them are tests.

add_custom_target(fuzzers)
sources_of(fuzz_sources fuzz/*.cpp)
list(FILTER fuzz_sources EXCLUDE REGEX "_fuzzer\\.cpp$|/replay_main\\.cpp$")

function(add_fuzzer name harness)
  if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${name}.cpp")
    return()
  endif()
  add_executable(${name} fuzz/${name}.cpp ${fuzz_sources} harness/no_extra_ops.cpp)
  target_link_libraries(${name} PRIVATE ${harness})
  add_dependencies(fuzzers ${name})
  if(GRADSMITH_LIBFUZZER)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    # New inputs go into the first folder, so that is one of the build; equal seeds give equal runs.
    set(found "${CMAKE_CURRENT_BINARY_DIR}/found/${name}")
    file(MAKE_DIRECTORY "${found}")
    add_test(NAME ${name}_bounded
      COMMAND ${name} -runs=10000 -seed=1 -rss_limit_mb=4096 "-artifact_prefix=${found}-"
        "${found}" "${CMAKE_CURRENT_SOURCE_DIR}/corpus/seeds"
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    # A number of runs, not of seconds: the same inputs everywhere. What they find is printed here, and judged by whoever runs a campaign.
    set_tests_properties(${name}_bounded PROPERTIES LABELS fuzz TIMEOUT 180 ENVIRONMENT GRADSMITH_ON_FINDING=report)
  else()
    target_sources(${name} PRIVATE fuzz/replay_main.cpp)
    add_test(NAME ${name}_replay COMMAND ${name} "${CMAKE_CURRENT_SOURCE_DIR}/corpus"
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(${name}_replay PROPERTIES LABELS tool TIMEOUT 300)
  endif()
endfunction()

if(TARGET gradsmith_core)
  add_fuzzer(chain_fuzzer gradsmith_core)
  if(GRADSMITH_LIBFUZZER AND NOT GRADSMITH_SANITIZE)
    # The supervisor is the one of the preset `release`; without it the test is skipped.
    find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
    add_test(NAME campaign_survives_kills
      COMMAND "${Python3_EXECUTABLE}" fuzz/kill_test.py --kills 4 --max 4 --seed 2 build/release/gradsmith
        --worker $<TARGET_FILE:chain_fuzzer>
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(campaign_survives_kills PROPERTIES LABELS fuzz TIMEOUT 300 SKIP_RETURN_CODE 77)
  endif()
  # The same with ops that crash and hang, under a supervisor that knows them.
  if(GRADSMITH_LIBFUZZER AND NOT GRADSMITH_SANITIZE AND planted_sources)
    add_library(gradsmith_deadly_ops OBJECT properties/planted_deadly.cpp properties/planted_entries.cpp)
    drives_libtorch(gradsmith_deadly_ops)
    add_executable(deadly_fuzzer fuzz/deadly_fuzzer.cpp fuzz/chain_fuzzer.cpp ${fuzz_sources})
    target_link_libraries(deadly_fuzzer PRIVATE gradsmith_deadly_ops gradsmith_core)
    target_link_options(deadly_fuzzer PRIVATE -fsanitize=fuzzer)
    add_executable(gradsmith_deadly fuzz/deadly_fuzzer.cpp)
    target_link_libraries(gradsmith_deadly PRIVATE gradsmith_main gradsmith_deadly_ops gradsmith_core)
    add_dependencies(fuzzers deadly_fuzzer gradsmith_deadly)
    add_test(NAME campaign_finds_crashes_and_hangs
      COMMAND "${Python3_EXECUTABLE}" fuzz/deadly_test.py $<TARGET_FILE:gradsmith_deadly> $<TARGET_FILE:deadly_fuzzer>
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(campaign_finds_crashes_and_hangs PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
  # The targets with planted deep faults that fuzz/ablation.py runs; built when asked for. What the engine mutates by itself
  # is guided by edges of the harness, for want of anything else.
  if(GRADSMITH_LIBFUZZER AND planted_sources)
    add_library(gradsmith_deep_ops OBJECT EXCLUDE_FROM_ALL properties/planted_deep.cpp properties/planted_entries.cpp
      properties/planted_functions.cpp)
    drives_libtorch(gradsmith_deep_ops)
    add_harness(gradsmith_core_edges)
    target_compile_options(gradsmith_core_edges PRIVATE -fsanitize=fuzzer-no-link)
    set_target_properties(gradsmith_core_edges PROPERTIES EXCLUDE_FROM_ALL ON)
    add_custom_target(ablation)
    foreach(suffix IN ITEMS "" _edges)
      add_executable(ablation${suffix}_fuzzer EXCLUDE_FROM_ALL
        fuzz/ablation_fuzzer.cpp ${fuzz_sources} properties/planted_deep_table.cpp)
      target_link_libraries(ablation${suffix}_fuzzer PRIVATE gradsmith_deep_ops gradsmith_core${suffix})
      target_link_options(ablation${suffix}_fuzzer PRIVATE -fsanitize=fuzzer)
      add_dependencies(ablation ablation${suffix}_fuzzer)
    endforeach()
  endif()
  # The parser reads foreign bytes: whatever it touches is checked. Only our LibTorch-free sources are built once more for it.
  if(GRADSMITH_LIBFUZZER AND NOT GRADSMITH_SANITIZE)
    add_harness(gradsmith_core_sanitized)
    # Comparisons are not traced: that took a fifth of the time, and the seeds have all words of the language.
    target_compile_options(gradsmith_core_sanitized PUBLIC ${sanitizers} -g1 -fsanitize=fuzzer-no-link
      -fno-sanitize-coverage=trace-cmp)
    target_link_options(gradsmith_core_sanitized PUBLIC ${sanitizers})
    set_target_properties(gradsmith_core_sanitized PROPERTIES EXCLUDE_FROM_ALL ON)
    add_fuzzer(parser_fuzzer gradsmith_core_sanitized)
  else()
    add_fuzzer(parser_fuzzer gradsmith_core)
  endif()
endif()
