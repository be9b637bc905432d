/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What an ADD gives back, free of any version; the form of each version is
 * made from it, and read back into it from a delegate.
 */
#include "base/json.h"
#include "version.h"

#define CNI_INTERFACES_MAX 3
#define CNI_RESULT_ADDRESSES_MAX 16

struct cni_interface {
	const char *name; /* lent */
	struct mac mac;
	uint32_t mtu;        /* 0: not told */
	const char *sandbox; /* lent; NULL: on the host */
};
struct cni_address {
	struct prefix address;
	struct ip gateway; /* unset: none */
	int interface;     /* number in interfaces; -1: none */
};
struct cni_result {
	struct cni_interface interfaces[CNI_INTERFACES_MAX];
	size_t interface_count;
	struct cni_address addresses[CNI_RESULT_ADDRESSES_MAX];
	size_t address_count;
	struct json_t *routes;    /* owned; objects with "dst" and more; NULL: none */
	const struct json_t *dns; /* lent; NULL: none */
};

void cni_result_release(struct cni_result *result); /* frees what it owns; a value */
#define auto_cni_result __attribute__((cleanup(cni_result_release))) struct cni_result

/**
 * The document of a version. -EINVAL: 0.1.0 and 0.2.0 cannot say that there is
 * no address. The caller owns *ret_document.
 */
int cni_result_format(const struct cni_result *result, enum cni_version version,
		      struct json_t **ret_document, struct error *err);
/**
 * Gate: reads the addresses and routes of a delegate's result, of any version;
 * "cniVersion" missing means `version`. dns is lent by the document.
 */
int cni_result_read(const struct json_at *at, enum cni_version version,
		    struct cni_result *ret_result, struct error *err);
