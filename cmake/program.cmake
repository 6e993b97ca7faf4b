# diffsiam_program(NAME SOURCE LABEL): one file becomes one program. A line `// ctest: ARGUMENTS` in its head, with the lines
# of comment right below it, runs it as the test LABEL.NAME; @OUT@ there stands for a folder of its own, @SOURCE@ for the
# project's. A program that needs what was not found is left out.
function(diffsiam_program name source label)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})  # its ctest line is read here
  file(STRINGS ${source} includes REGEX "^#include <")
  if(includes MATCHES "<(CLI|experiments)/" AND NOT TARGET CLI11::CLI11)
    message(STATUS "${label}/${name}: left out, needs CLI11 (Debian: libcli11-dev)")
    return()
  endif()
  if(includes MATCHES "<(diffsiam/(io|report|data|train|eval)|experiments)/" AND NOT TARGET diffsiam::io)
    message(STATUS "${label}/${name}: left out, needs diffsiam::io")
    return()
  endif()
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE diffsiam_own $<TARGET_NAME_IF_EXISTS:CLI11::CLI11>)

  file(READ ${source} text)
  string(REGEX MATCH "\n// ctest:[^\n]*(\n// [^\n]*)*" command "${text}")
  if(command AND DIFFSIAM_BUILD_TESTS)
    string(REGEX REPLACE "\n//( ctest:)?" " " command "${command}")
    string(REPLACE "@OUT@" "${CMAKE_CURRENT_BINARY_DIR}/runs/${name}" command "${command}")
    string(REPLACE "@SOURCE@" "${PROJECT_SOURCE_DIR}" command "${command}")
    separate_arguments(arguments UNIX_COMMAND "${command}")
    add_test(NAME ${label}.${name} COMMAND ${name} ${arguments})
    set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT 900)
    diffsiam_label(${label} ${name})
  endif()
endfunction()
