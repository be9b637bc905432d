# SPDX-License-Identifier: GPL-2.0-or-later
# Flags for all of Wherry, and the three kinds of target that folders make.

option(WHERRY_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(WHERRY_FUZZ "Build the libFuzzer targets" OFF)
option(WHERRY_COVER "Instrument for gcov" OFF)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Assertions stay: what only a bug can break must stop a release too.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(wherry_flags INTERFACE)
target_compile_definitions(wherry_flags INTERFACE
	_GNU_SOURCE WHERRY_VERSION="${PROJECT_VERSION}")
target_compile_options(wherry_flags INTERFACE
	-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wformat=2 -Wundef -Wvla -Wpointer-arith -Wwrite-strings
	-fno-strict-aliasing -fstack-protector-strong
	-include ${CMAKE_SOURCE_DIR}/base/include/base/banned.h)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	# snprintf into a bounded buffer is how texts are cut on purpose; gcc warns by
	# what it can prove, which changes with the level of optimisation.
	# The same holds for "maybe" uninitialised: clang's analysis is the judge of it.
	target_compile_options(wherry_flags INTERFACE
		-Wno-format-truncation -Wno-maybe-uninitialized)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
	target_compile_definitions(wherry_flags INTERFACE _FORTIFY_SOURCE=2)
	target_compile_options(wherry_flags INTERFACE -ffunction-sections -fdata-sections)
endif()
if(WHERRY_SANITIZE)
	target_compile_options(wherry_flags INTERFACE
		-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
	target_link_options(wherry_flags INTERFACE -fsanitize=address,undefined)
endif()
if(WHERRY_FUZZ)
	target_compile_options(wherry_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(WHERRY_COVER)
	target_compile_options(wherry_flags INTERFACE --coverage)
	target_link_options(wherry_flags INTERFACE --coverage)
endif()

# wherry_prefer_static(TARGET LIBRARY…): in release the imported TARGET stands for
# these archives, so that a program can carry them; a name that begins with '?'
# is left out where there is no archive of it. All or nothing.
function(wherry_prefer_static target)
	if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
		return()
	endif()
	set(archives)
	foreach(library ${ARGN})
		string(REGEX REPLACE "^[?]" "" name ${library})
		find_library(ARCHIVE_${name} lib${name}.a)
		if(ARCHIVE_${name})
			list(APPEND archives ${ARCHIVE_${name}})
		elseif(NOT library MATCHES "^[?]")
			message(WARNING "no lib${name}.a: the plugins cannot be linked statically")
			return()
		endif()
	endforeach()
	set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${archives}")
endfunction()

# wherry_library(NAME SOURCES a.c … LINKS lib …): a static library whose public
# headers lie in include/, and whose own headers nobody else can name.
function(wherry_library name)
	cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
	add_library(wherry_${name} STATIC ${ARG_SOURCES})
	target_include_directories(wherry_${name}
		PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include
		PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(wherry_${name} PUBLIC ${ARG_LINKS} PRIVATE wherry_flags)
endfunction()

# wherry_program(NAME [STATIC] [SBIN] SOURCES … LINKS …). STATIC: in release the
# program carries its libraries, since its start is part of what it does.
function(wherry_program name)
	cmake_parse_arguments(ARG "STATIC;NO_INSTALL" "DESTINATION" "SOURCES;LINKS" ${ARGN})
	add_executable(${name} ${ARG_SOURCES})
	target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(${name} PRIVATE ${ARG_LINKS} wherry_flags)
	if(ARG_STATIC AND WHERRY_STATIC_BPF AND CMAKE_BUILD_TYPE STREQUAL "Release")
		target_link_options(${name} PRIVATE -static -s -Wl,--gc-sections)
	endif()
	set_target_properties(${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
	if(NOT ARG_NO_INSTALL)
		if(NOT ARG_DESTINATION)
			set(ARG_DESTINATION ${CMAKE_INSTALL_BINDIR})
		endif()
		install(TARGETS ${name} DESTINATION ${ARG_DESTINATION})
	endif()
endfunction()

# wherry_test(NAME LABEL SOURCES … LINKS … [TIMEOUT s] [EXCLUSIVE]): a cmocka
# program under ctest with one label of: unit bpf net e2e fuzz faults guest.
function(wherry_test name label)
	cmake_parse_arguments(ARG "EXCLUSIVE" "TIMEOUT" "SOURCES;LINKS" ${ARGN})
	if(NOT ARG_TIMEOUT)
		set(ARG_TIMEOUT 400) # ends what hangs; a loaded machine may be slow
	endif()
	add_executable(test-${name} ${ARG_SOURCES})
	target_include_directories(test-${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(test-${name} PRIVATE ${ARG_LINKS} cmocka wherry_flags)
	set_target_properties(test-${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
	add_test(NAME ${label}/${name} COMMAND test-${name})
	set_tests_properties(${label}/${name} PROPERTIES LABELS ${label}
		TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
		ENVIRONMENT "WHERRY_BIN=${CMAKE_BINARY_DIR}/bin;WHERRY_SOURCE=${CMAKE_SOURCE_DIR}")
	if(ARG_EXCLUSIVE)
		set_tests_properties(${label}/${name} PROPERTIES RUN_SERIAL ON)
	endif()
endfunction()
