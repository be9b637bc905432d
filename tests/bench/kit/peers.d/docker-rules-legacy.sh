# SPDX-License-Identifier: GPL-2.0-or-later
# The same rules in the kernel's older x_tables engine.
IPT=iptables-legacy
. "$KIT/peers.d/docker-rules.sh"
NEEDS=iptables-legacy
