/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The host's firewall, as publications with HOST_FIREWALL_RESPECT meet it. When its
 * rules change, a new round of judgement begins: each running flow of theirs is
 * asked about again with its next packet.
 */
#include "dataplane/dataplane.h"

/** Begins a new round. */
int firewall_judge_again(struct dataplane *dataplane, struct error *err);
/**
 * Opens the stream of changes of nftables (iptables-nft, ufw and firewalld among
 * them) in the calling thread's namespace: *ret_fd, the caller's, becomes readable.
 * -EOPNOTSUPP: a kernel without nftables.
 */
int firewall_events_open(int *ret_fd, struct error *err);
/** Takes all that has come, without waiting. True if rules changed, or if some events were lost. */
bool firewall_events_read(int fd);
