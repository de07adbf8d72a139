# The tests. A program per label, and one with the planted ops: `tool` is about GradSmith itself and always green; `torch` are properties of
# LibTorch and may find a defect of it.

find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
include(GoogleTest)

list(JOIN libtorch_drivers " " wall_drivers)
list(JOIN libtorch_headers " " wall_headers)

# Tests that include LibTorch; planted ops are built already.
sources_of(libtorch_test_sources ${libtorch_tests})
if(planted_sources)
  list(REMOVE_ITEM libtorch_test_sources ${planted_sources})
endif()
if(libtorch_test_sources)
  add_library(gradsmith_libtorch_tests OBJECT ${libtorch_test_sources})
  drives_libtorch(gradsmith_libtorch_tests)
  target_link_libraries(gradsmith_libtorch_tests PRIVATE GTest::gtest rapidcheck rapidcheck_gtest fmt::fmt-header-only)
endif()

# Stand-alone programs are built and run as their reader would do it.
set_source_files_properties(properties/repro_programs.cpp PROPERTIES COMPILE_DEFINITIONS
  "GRADSMITH_CXX=\"${CMAKE_CXX_COMPILER}\";GRADSMITH_LIBTORCH_LIB=\"${LibTorch_LIBRARY_DIR}\";GRADSMITH_PYTHON=\"${Python3_EXECUTABLE}\"")

# What several test files share; properties/tests_main.cpp if there is one is the main of both programs.
sources_of(test_helpers properties/*.cpp)
list(FILTER test_helpers EXCLUDE REGEX "/(tool|torch|planted)[^/]*\\.cpp$|/[^/]*_main\\.cpp$")

# Campaigns are tested with a worker that needs neither clang nor LibTorch's start.
add_executable(gradsmith_fake_worker properties/fake_worker_main.cpp harness/no_extra_ops.cpp)
target_link_libraries(gradsmith_fake_worker PRIVATE gradsmith_core)

set(program_names gradsmith gradsmith_planted gradsmith_fake_worker gradsmith_shadow gradsmith_shadow_faults)
set(program_macros GRADSMITH_BINARY GRADSMITH_PLANTED_BINARY GRADSMITH_FAKE_WORKER GRADSMITH_SHADOW_LIBRARY
  GRADSMITH_SHADOW_FAULTS_LIBRARY)

# `extra` says what `extra_ops()` is: the source with none, or the planted ops.
function(add_test_program program label extra)
  sources_of(sources ${ARGN})
  if(NOT extra STREQUAL planted)
    list(FILTER sources EXCLUDE REGEX "/tool_planted[^/]*\\.cpp$")
    list(APPEND sources harness/no_extra_ops.cpp)
  endif()
  if(libtorch_test_sources)
    list(REMOVE_ITEM sources ${libtorch_test_sources})
  endif()
  if(NOT sources)
    return()
  endif()
  set(name gradsmith_${program}_tests)
  add_executable(${name} ${sources} ${test_helpers})
  target_include_directories(${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(${name} PRIVATE
    GRADSMITH_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}"
    GRADSMITH_LIBTORCH_DRIVERS="${wall_drivers}"
    GRADSMITH_LIBTORCH_HEADERS="${wall_headers}")
  # The programs are tested from outside.
  foreach(program macro IN ZIP_LISTS program_names program_macros)
    if(TARGET ${program})
      target_compile_definitions(${name} PRIVATE ${macro}="$<TARGET_FILE:${program}>")
      add_dependencies(${name} ${program})
    endif()
  endforeach()
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/properties/tests_main.cpp")
    target_sources(${name} PRIVATE properties/tests_main.cpp)
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
  endif()
  if(program STREQUAL tool AND TARGET gradsmith_libtorch_tests)
    target_link_libraries(${name} PRIVATE gradsmith_libtorch_tests)
  endif()
  if(extra STREQUAL planted)
    target_link_libraries(${name} PRIVATE gradsmith_planted_ops)
  endif()
  if(TARGET gradsmith_core)
    target_link_libraries(${name} PRIVATE gradsmith_core)
  endif()
  target_link_libraries(${name} PRIVATE GTest::gtest rapidcheck rapidcheck_gtest ${fmt_library})
  set(seconds 600)
  if(GRADSMITH_SANITIZE)
    set(seconds 1800)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" PROPERTIES LABELS ${label} TIMEOUT ${seconds})
endfunction()

add_test_program(tool tool none properties/tool_*.cpp)
add_test_program(torch torch none properties/torch_*.cpp)
add_test_program(planted tool planted properties/tool_planted*.cpp)

add_test(NAME fetch_libtorch COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/cmake/fetch_libtorch_test.py")
set_tests_properties(fetch_libtorch PROPERTIES LABELS tool TIMEOUT 300)

add_test(NAME since COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_SOURCE_DIR}/corpus/since_test.py")
set_tests_properties(since PROPERTIES LABELS tool TIMEOUT 300)
