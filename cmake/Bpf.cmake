# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel programs: clang makes the object, bpftool the skeleton.
find_program(BPF_CLANG NAMES clang-14 clang REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET GLOBAL libbpf)
# Debian 13's libelf.a refers to a part of elfutils that has no archive: there the
# programs are linked as usual.
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES -static bpf elf z)
check_c_source_compiles("
	#include <bpf/libbpf.h>
	int main(void) { return bpf_object__open(\"x\") != 0; }" WHERRY_STATIC_BPF)
unset(CMAKE_REQUIRED_LIBRARIES)
if(WHERRY_STATIC_BPF)
	wherry_prefer_static(PkgConfig::LIBBPF bpf elf z ?zstd)
endif()

# bpf_skeleton(NAME [FROM FOLDER TARGET]): NAME.bpf.c of this folder, or of another
# that is made by the build, becomes NAME.bpf.o and NAME.skel.h (struct
# wherry_NAME) in the build folder, by the target NAME_skeleton or TARGET. -mcpu=v3 is named because clang's default (v1) has no 32-bit
# atomics, and v4 does not load on 6.1.
function(bpf_skeleton name)
	set(source ${CMAKE_CURRENT_SOURCE_DIR})
	set(target ${name}_skeleton)
	if(ARGC GREATER 1)
		set(source ${ARGV2})
		set(target ${ARGV3})
	endif()
	set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
	set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
	add_custom_command(OUTPUT ${object}
		COMMAND ${BPF_CLANG} -std=gnu11 -O2 -g -target bpf -mcpu=v3
			-Wall -Wextra -Werror -Wshadow
			-Wno-unused-parameter -Wno-address-of-packed-member
			-D__TARGET_ARCH_x86 -D__x86_64__
			-I${source}/include -I${source}
			-isystem /usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
			-MD -MF ${object}.d -MT ${object}
			-c ${source}/${name}.bpf.c -o ${object}
		DEPENDS ${source}/${name}.bpf.c
		DEPFILE ${object}.d
		VERBATIM)
	add_custom_command(OUTPUT ${skeleton}
		COMMAND sh -c "${BPFTOOL} gen skeleton ${object} name wherry_${name} > ${skeleton}.new && mv ${skeleton}.new ${skeleton}"
		DEPENDS ${object} VERBATIM)
	add_custom_target(${target} DEPENDS ${skeleton})
endfunction()
