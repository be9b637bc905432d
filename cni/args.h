/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * CNI_ARGS: "K=V;K=V", what a runtime adds to a call by hand.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/ip.h"

#define CNI_ADDRESSES_MAX 16 /* requests of one call */

struct cni_args {
	struct ip ips[CNI_ADDRESSES_MAX];
	size_t ip_count;
	struct mac mac;     /* unset: none */
	char pod_name[256]; /* K8S_POD_NAME; "" if there is none */
};

/**
 * Gate: reads CNI_ARGS (NULL: none). Known are IP, MAC, GATEWAY, IgnoreUnknown
 * and K8S_…; another key is -EINVAL unless IgnoreUnknown is true.
 */
int cni_args_read(const char *text, struct cni_args *ret_args, struct error *err);
/** An address with or without a prefix length, as "ips" and IP mean them. */
int cni_address_parse(const char *text, struct ip *ret_ip, struct error *err);
