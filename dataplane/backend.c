/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config.h"

const char *backend_name(enum backend backend)
{
	return backend == BACKEND_NFT ? "nft" : "bpf";
}

/* Refused to root: switched off, locked down, or not in this kernel. */
static bool kernel_has_bpf(void)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	auto_fd fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "probe", "GPL", program,
				   ARRAY_SIZE(program), NULL);
	return fd >= 0;
}

static int read_choice(const struct instance *instance, char ret_choice[8], struct error *err)
{
	static const char *const choices[] = { "auto", "bpf", "nft" };
	const char *text = NULL;
	auto_config config = { 0 };
	snprintf(ret_choice, 8, "auto");
	int r = config_read(instance, &config, err);
	if (r <= 0)
		return r;
	struct json_at root = config_root(&config);
	r = json_get_string(&root, "backend", JSON_OPTIONAL, &text, err);
	if (r < 0 || !text)
		return r < 0 ? r : 0;
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (strcmp(text, choices[i]) == 0) {
			snprintf(ret_choice, 8, "%s", text);
			return 0;
		}
	return json_error(&root, err, EINVAL, "backend \"%s\" is none of auto, bpf, nft", text);
}

int backend_choose(const struct instance *instance, struct backend_choice *ret_choice,
		   struct error *err)
{
	char choice[8];
	int r = read_choice(instance, choice, err);
	if (r < 0)
		return r;
	bool automatic = strcmp(choice, "auto") == 0;
	bool nft = automatic ? !kernel_has_bpf() : strcmp(choice, "nft") == 0;
	*ret_choice = (struct backend_choice){ nft ? BACKEND_NFT : BACKEND_BPF, !automatic };
	return 0;
}
