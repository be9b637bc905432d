/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The network configuration of a call: bridge's keys, the "ipam" object, and
 * what the runtime asks for through runtimeConfig, "args" and CNI_ARGS.
 */
#include <stdint.h>

#include "base/text.h"
#include "call.h"
#include "dataplane/dataplane.h"
#include "ipam/ipam.h"
#include "tuning.h"

enum ipam_kind {
	IPAM_OWN,        /* "ipam" with ranges, type wherry-ipam, host-local or none */
	IPAM_OF_NETWORK, /* no "ipam", or one without ranges: the subnet of the network that is
			    there */
	IPAM_FOREIGN,    /* another plugin */
};

#define CNI_PATH_MAX 512 /* bytes with NUL */

/* A rate limit, as bandwidth's keys give it; 0: none. */
struct cni_rate {
	uint64_t rate_bit_s, burst_bits;
};

struct cni_config {
	char name[NETWORK_NAME_MAX];
	char bridge[DEVICE_NAME_MAX]; /* "": not named */
	bool gateway, default_gateway, masquerade, isolated_ports;
	enum big_tcp big_tcp;
	struct masquerade_options masquerade_options;
	uint32_t mtu;
	enum ipam_kind ipam_kind;
	const char *ipam_type; /* lent by the document; NULL: none */
	struct ipam_config ipam;
	struct ip wanted[CNI_ADDRESSES_MAX];
	size_t wanted_count;
	struct mac mac;
	struct publish_spec *publish; /* owned */
	size_t publish_count;
	struct prefix publish_from[PUBLISH_FROM_MAX];
	size_t publish_from_count;
	enum host_firewall host_firewall;
	struct words names;   /* owned: aliases */
	struct json_t *dns;   /* owned; NULL: none */
	struct tuning tuning; /* owned; mac and mtu are the endpoint's */
	struct cni_rate ingress, egress;
	struct json_at previous; /* prevResult; value NULL: none */
	bool is_chained;         /* it holds our interface: another plugin made it */
	bool has_ipam;
	char lease_folder[CNI_PATH_MAX]; /* host-local's: its dataDir and the network's name */
};

void cni_config_free(struct cni_config *config);
DEFINE_FREEP(cni_config)

/** Gate: all of the configuration, for ADD, CHECK and STATUS. The caller owns *ret_config. */
int cni_config_read(struct cni_call *call, struct cni_config **ret_config, struct error *err);
/**
 * Gate: only the name and the type of ipam, for DEL and GC, which trust the
 * state and not the configuration.
 */
int cni_config_read_name(struct cni_call *call, struct cni_config **ret_config, struct error *err);
/** Gate: the keys of wherry-ipam: the same without bridge's. */
int cni_config_read_ipam(struct cni_call *call, struct cni_config **ret_config, struct error *err);

/** The first range of a family, whose subnet all of that family share; NULL: none. */
const struct ipam_range *cni_config_range(const struct ipam_config *ipam, bool v4);

/* --- parts, each in a file of its own --------------------------------------- */

/** Gate: keys of portmap, firewall and bandwidth (drop_in.c). */
int cni_config_read_drop_in(struct cni_call *call, struct cni_config *config, struct error *err);
/** Gate: ingressRate, ingressBurst, egressRate, egressBurst of an object. */
int cni_config_read_rates(const struct json_at *at, struct cni_rate *ret_ingress,
			  struct cni_rate *ret_egress, struct error *err);
/** Gate: prevResult, of the configuration's version on ADD (chain.c). */
int cni_config_read_previous(struct cni_call *call, struct cni_config *config, struct error *err);
/** Gate: runtimeConfig, "args" and CNI_ARGS into *config (runtime_config.c). */
int cni_config_read_runtime(struct cni_call *call, struct cni_config *config, struct error *err);
/** Gate: runtimeConfig's portMappings (port_mappings.c). */
int cni_config_read_ports(const struct json_at *runtime, struct cni_config *config,
			  struct error *err);
/** Gate: "dns", runtimeConfig.dns and ipam's resolvConf (dns_config.c). */
int cni_config_read_dns(struct cni_call *call, struct cni_config *config, struct error *err);
