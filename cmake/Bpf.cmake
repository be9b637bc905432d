# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel programs: clang makes one object for each attach point, bpftool links
# them into one, with each shared map once, and makes its skeleton.
find_program(BPF_CLANG NAMES clang-14 clang REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf)

# bpf_skeleton(NAME FILE…): each FILE.bpf.c of this folder becomes FILE.bpf.o,
# all of them NAME.bpf.o and NAME.skel.h (struct wherry_NAME) in the build
# folder, by the target NAME_skeleton. -mcpu=v3 is named because clang's
# default (v1) has no 32-bit atomics, and v4 does not load on 6.1.
function(bpf_skeleton name)
	set(objects)
	foreach(file ${ARGN})
		set(object ${CMAKE_CURRENT_BINARY_DIR}/${file}.bpf.o)
		add_custom_command(OUTPUT ${object}
			COMMAND ${BPF_CLANG} -std=gnu11 -O2 -g -target bpf -mcpu=v3
				-Wall -Wextra -Werror -Wshadow
				-Wno-unused-parameter -Wno-address-of-packed-member
				-D__TARGET_ARCH_x86 -D__x86_64__
				-I${CMAKE_CURRENT_SOURCE_DIR}/include -I${CMAKE_CURRENT_SOURCE_DIR}
				-isystem /usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}
				-MD -MF ${object}.d -MT ${object}
				-c ${CMAKE_CURRENT_SOURCE_DIR}/${file}.bpf.c -o ${object}
			DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}.bpf.c
			DEPFILE ${object}.d
			VERBATIM)
		list(APPEND objects ${object})
	endforeach()
	set(linked ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
	set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
	add_custom_command(OUTPUT ${linked}
		COMMAND ${BPFTOOL} gen object ${linked} ${objects}
		DEPENDS ${objects} VERBATIM)
	add_custom_command(OUTPUT ${skeleton}
		COMMAND sh -c "${BPFTOOL} gen skeleton ${linked} name wherry_${name} > ${skeleton}.new && mv ${skeleton}.new ${skeleton}"
		DEPENDS ${linked} VERBATIM)
	add_custom_target(${name}_skeleton DEPENDS ${skeleton})
endfunction()
