/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of wrong configurations, environments and standard inputs: each has
 * its code of the specification and a message that names the key, standard
 * output holds the error object alone, and nothing was opened or made: the
 * instance's root is /proc, where nobody can make anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cni/cni.h"

#define LONG_BYTES (1u << 18)

static const struct cni_environment good = { .command = "ADD",
					     .container_id = "c1",
					     .netns = "/nowhere/netns",
					     .interface = "eth0",
					     .path = "/nowhere" };

/* ' for " keeps the rows readable. */
#define CONFIG(keys) "{'cniVersion':'1.0.0','name':'net','type':'wherry'," keys "}"
#define WITH(keys) CONFIG("'ipam':{'type':'host-local','subnet':'10.1.0.0/16'}," keys)

struct row {
	const char *config;
	int code;
	const char *names; /* in the message */
};

static const struct row wrong[] = {
	{ WITH("'mtu':'x'"), 7, "mtu" },
	{ WITH("'mtu':-1"), 7, "mtu" },
	{ WITH("'mtu':65536"), 7, "mtu" },
	{ WITH("'mtu':1.5"), 7, "mtu" },
	{ WITH("'mtu':true"), 7, "mtu" },
	{ WITH("'mtu':[]"), 7, "mtu" },
	{ WITH("'mtu':{}"), 7, "mtu" },
	{ WITH("'mtu':99999999999999999999"), 6, "99999999999999999999" },
	{ WITH("'bridge':1"), 7, "bridge" },
	{ WITH("'bridge':[]"), 7, "bridge" },
	{ WITH("'bridge':{}"), 7, "bridge" },
	{ WITH("'bridge':true"), 7, "bridge" },
	{ WITH("'bridge':'a/b'"), 7, "bridge" },
	{ WITH("'bridge':'.'"), 7, "bridge" },
	{ WITH("'bridge':'..'"), 7, "bridge" },
	{ WITH("'bridge':'a b'"), 7, "bridge" },
	{ WITH("'bridge':'0123456789abcdef'"), 7, "bridge" },
	{ WITH("'bridge':'a:b'"), 7, "bridge" },
	{ WITH("'isGateway':1"), 7, "isGateway" },
	{ WITH("'isGateway':'true'"), 7, "isGateway" },
	{ WITH("'isGateway':[]"), 7, "isGateway" },
	{ WITH("'isDefaultGateway':1"), 7, "isDefaultGateway" },
	{ WITH("'isDefaultGateway':'true'"), 7, "isDefaultGateway" },
	{ WITH("'isDefaultGateway':[]"), 7, "isDefaultGateway" },
	{ WITH("'ipMasq':1"), 7, "ipMasq" },
	{ WITH("'ipMasq':'true'"), 7, "ipMasq" },
	{ WITH("'ipMasq':[]"), 7, "ipMasq" },
	{ WITH("'portIsolation':1"), 7, "portIsolation" },
	{ WITH("'portIsolation':'true'"), 7, "portIsolation" },
	{ WITH("'portIsolation':[]"), 7, "portIsolation" },
	{ WITH("'hairpinMode':1"), 7, "hairpinMode" },
	{ WITH("'hairpinMode':'true'"), 7, "hairpinMode" },
	{ WITH("'hairpinMode':[]"), 7, "hairpinMode" },
	{ WITH("'promiscMode':1"), 7, "promiscMode" },
	{ WITH("'promiscMode':'true'"), 7, "promiscMode" },
	{ WITH("'promiscMode':[]"), 7, "promiscMode" },
	{ WITH("'forceAddress':1"), 7, "forceAddress" },
	{ WITH("'forceAddress':'true'"), 7, "forceAddress" },
	{ WITH("'forceAddress':[]"), 7, "forceAddress" },
	{ WITH("'macspoofchk':1"), 7, "macspoofchk" },
	{ WITH("'macspoofchk':'true'"), 7, "macspoofchk" },
	{ WITH("'macspoofchk':[]"), 7, "macspoofchk" },
	{ WITH("'enabledad':1"), 7, "enabledad" },
	{ WITH("'enabledad':'true'"), 7, "enabledad" },
	{ WITH("'enabledad':[]"), 7, "enabledad" },
	{ WITH("'preserveDefaultVlan':1"), 7, "preserveDefaultVlan" },
	{ WITH("'preserveDefaultVlan':'true'"), 7, "preserveDefaultVlan" },
	{ WITH("'preserveDefaultVlan':[]"), 7, "preserveDefaultVlan" },
	{ WITH("'disableContainerInterface':1"), 7, "disableContainerInterface" },
	{ WITH("'disableContainerInterface':'true'"), 7, "disableContainerInterface" },
	{ WITH("'disableContainerInterface':[]"), 7, "disableContainerInterface" },
	{ WITH("'vlan':-1"), 7, "vlan" },
	{ WITH("'vlan':4095"), 7, "vlan" },
	{ WITH("'vlan':'5'"), 7, "vlan" },
	{ WITH("'vlan':1.5"), 7, "vlan" },
	{ WITH("'vlan':5"), 2, "vlan" },
	{ WITH("'vlanTrunk':5"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':{}"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':[5]"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':[{'id':0}]"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':[{'id':4095}]"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':[{'minID':5}]"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':[{'maxID':5}]"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':[{'minID':9,'maxID':5}]"), 7, "vlanTrunk" },
	{ WITH("'vlanTrunk':[{'id':5}]"), 2, "vlanTrunk" },
	{ WITH("'ipMasqBackend':1"), 7, "ipMasqBackend" },
	{ WITH("'publishFrom':'10.0.0.0/8'"), 7, "publishFrom" },
	{ WITH("'publishFrom':[1]"), 7, "publishFrom" },
	{ WITH("'publishFrom':['10.0.0.0/40']"), 7, "publishFrom" },
	{ WITH("'masquerade':[],'ipMasq':true"), 7, "masquerade" },
	{ WITH("'masquerade':{}"), 7, "ipMasq" },
	{ WITH("'ipMasq':true,'masquerade':{'except':'10.0.0.0/8'}"), 7, "masquerade.except" },
	{ WITH("'ipMasq':true,'masquerade':{'except':['x']}"), 7, "masquerade.except[0]" },
	{ WITH("'ipMasq':true,'masquerade':{'source':['127.0.0.1']}"), 7, "masquerade.source[0]" },
	{ WITH("'ipMasq':true,'masquerade':{'filtering':'none'}"), 7, "masquerade.filtering" },
	{ WITH("'hostFirewall':'off'"), 7, "none of" },
	{ WITH("'hostFirewall':true"), 7, "hostFirewall" },
	{ WITH("'ipMasqBackend':'magic'"), 7, "ipMasqBackend" },
	{ WITH("'dns':[]"), 7, "dns" },
	{ WITH("'dns':'x'"), 7, "dns" },
	{ WITH("'dns':{'nameservers':'x'}"), 7, "nameservers" },
	{ WITH("'dns':{'nameservers':[1]}"), 7, "nameservers" },
	{ WITH("'dns':{'search':'x'}"), 7, "search" },
	{ WITH("'dns':{'search':[1]}"), 7, "search" },
	{ WITH("'dns':{'options':'x'}"), 7, "options" },
	{ WITH("'dns':{'options':[1]}"), 7, "options" },
	{ WITH("'dns':{'domain':1}"), 7, "domain" },
	{ WITH("'root':1"), 7, "root" },
	{ WITH("'root':'relative'"), 7, "root" },
	{ WITH("'backend':1"), 7, "backend" },
	{ WITH("'backend':'magic'"), 7, "backend" },
	{ WITH("'ingressPolicy':1"), 7, "ingressPolicy" },
	{ WITH("'ingressPolicy':'odd'"), 7, "ingressPolicy" },
	{ WITH("'firewalldZone':1"), 7, "firewalldZone" },
	{ WITH("'iptablesAdminChainName':1"), 7, "iptablesAdminChainName" },
	{ WITH("'iptablesAdminChainName':'X'"), 2, "iptablesAdminChainName" },
	{ WITH("'snat':1"), 7, "snat" },
	{ WITH("'masqAll':'x'"), 7, "masqAll" },
	{ WITH("'masqAll':true"), 2, "masqAll" },
	{ WITH("'markMasqBit':-1"), 7, "markMasqBit" },
	{ WITH("'markMasqBit':32"), 7, "markMasqBit" },
	{ WITH("'markMasqBit':'x'"), 7, "markMasqBit" },
	{ WITH("'markMasqBit':3,'externalSetMarkChain':'X'"), 7, "markMasqBit" },
	{ WITH("'externalSetMarkChain':1"), 7, "externalSetMarkChain" },
	{ WITH("'conditionsV4':['-s']"), 2, "conditionsV4" },
	{ WITH("'conditionsV6':['-s']"), 2, "conditionsV6" },
	{ WITH("'ingressRate':-1"), 7, "ingressRate" },
	{ WITH("'ingressRate':'1M'"), 7, "ingressRate" },
	{ WITH("'ingressRate':1.5"), 7, "ingressRate" },
	{ WITH("'ingressBurst':-1"), 7, "ingressBurst" },
	{ WITH("'ingressBurst':'x'"), 7, "ingressBurst" },
	{ WITH("'ingressRate':8"), 7, "ingressRate" },
	{ WITH("'ingressBurst':8"), 7, "ingressBurst" },
	{ WITH("'ingressRate':8,'ingressBurst':34359738360"), 7, "ingressBurst" },
	{ WITH("'egressRate':-1"), 7, "egressRate" },
	{ WITH("'egressRate':'1M'"), 7, "egressRate" },
	{ WITH("'egressRate':1.5"), 7, "egressRate" },
	{ WITH("'egressBurst':-1"), 7, "egressBurst" },
	{ WITH("'egressBurst':'x'"), 7, "egressBurst" },
	{ WITH("'egressRate':8"), 7, "egressRate" },
	{ WITH("'egressBurst':8"), 7, "egressBurst" },
	{ WITH("'egressRate':8,'egressBurst':34359738360"), 7, "egressBurst" },
	{ WITH("'shapedSubnets':['10.0.0.0/8']"), 2, "shapedSubnets" },
	{ WITH("'unshapedSubnets':['10.0.0.0/8']"), 2, "unshapedSubnets" },
	{ WITH("'sysctl':'x'"), 7, "sysctl" },
	{ WITH("'sysctl':[]"), 7, "sysctl" },
	{ WITH("'sysctl':{'kernel.hostname':'1'}"), 7, "sysctl" },
	{ WITH("'sysctl':{'net/../kernel/x':'1'}"), 7, "sysctl" },
	{ WITH("'sysctl':{'net//x':'1'}"), 7, "sysctl" },
	{ WITH("'sysctl':{'net/x/':'1'}"), 7, "sysctl" },
	{ WITH("'sysctl':{'vm.x':'1'}"), 7, "sysctl" },
	{ WITH("'sysctl':{'':'1'}"), 7, "sysctl" },
	{ WITH("'sysctl':{'net.core.somaxconn':1}"), 7, "somaxconn" },
	{ WITH("'sysctl':{'net.core.somaxconn':'1','net/core/somaxconn':'2'}"), 7, "twice" },
	{ WITH("'mac':1"), 7, "mac" },
	{ WITH("'mac':'x'"), 7, "mac" },
	{ WITH("'mac':'00:00:00:00:00:00'"), 7, "mac" },
	{ WITH("'mac':'01:00:5e:00:00:01'"), 7, "mac" },
	{ WITH("'promisc':1"), 7, "promisc" },
	{ WITH("'promisc':'x'"), 7, "promisc" },
	{ WITH("'allmulti':1"), 7, "allmulti" },
	{ WITH("'txQLen':-1"), 7, "txQLen" },
	{ WITH("'txQLen':'x'"), 7, "txQLen" },
	{ WITH("'txQLen':1.5"), 7, "txQLen" },
	{ CONFIG("'ipam':7"), 7, "ipam" },
	{ CONFIG("'ipam':'x'"), 7, "ipam" },
	{ CONFIG("'ipam':[]"), 7, "ipam" },
	{ CONFIG("'ipam':{'type':7}"), 7, "type" },
	{ CONFIG("'ipam':{'type':'dhcp'}"), 2, "dhcp" },
	{ CONFIG("'ipam':{'subnet':7}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'x'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/33'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.9/16'}"), 7, "10.1.0.9/16" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/31'}"), 7, "10.1.0.0/31" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/32'}"), 7, "10.1.0.0/32" },
	{ CONFIG("'ipam':{'subnet':'fd00::/127'}"), 7, "fd00::/127" },
	{ CONFIG("'ipam':{'subnet':'300.1.0.0/16'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/-1'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeStart':7}"), 7, "rangeStart" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeStart':'x'}"), 7, "rangeStart" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeStart':'10.2.0.1'}"), 7, "10.2.0.1" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeStart':'10.1.0.0'}"), 7, "10.1.0.0" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeEnd':'10.2.0.1'}"), 7, "10.2.0.1" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeEnd':'10.1.0.255'}"), 7, "10.1.0.255" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeEnd':[]}"), 7, "rangeEnd" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','gateway':7}"), 7, "gateway" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','gateway':'x'}"), 7, "gateway" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','gateway':'fd00::1'}"), 7, "gateway" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','routes':7}"), 7, "routes" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','routes':[7]}"), 7, "routes" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','routes':[{}]}"), 7, "dst" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','routes':[{'dst':'x'}]}"), 7, "dst" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','routes':[{'dst':'10.2.0.0/16','gw':'x'}]}"), 7,
	  "gw" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','resolvConf':7}"), 7, "resolvConf" },
	{ CONFIG("'ipam':{'subnet':'10.1.0.0/24','rangeStart':'10.1.0.9','rangeEnd':'10.1.0.8'}"),
	  7, "10.1.0" },
	{ CONFIG("'ipam':{'ranges':7}"), 7, "ranges" },
	{ CONFIG("'ipam':{'ranges':[7]}"), 7, "ranges" },
	{ CONFIG("'ipam':{'ranges':[[]]}"), 7, "ranges" },
	{ CONFIG("'ipam':{'ranges':[[7]]}"), 7, "ranges" },
	{ CONFIG("'ipam':{'ranges':[[{}]]}"), 7, "subnet" },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'10.1.0.0/24'},{'subnet':'fd00::/64'}]]}"), 7,
	  "fd00::" },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'10.1.0.0/24'},{'subnet':'10.1.0.0/25'}]]}"), 7,
	  "10.1.0" },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'10.1.0.0/24'}],[{'subnet':'10.1.0.0/25'}]]}"), 7,
	  "10.1.0" },
	{ WITH("'runtimeConfig':7"), 7, "runtimeConfig" },
	{ WITH("'runtimeConfig':'x'"), 7, "runtimeConfig" },
	{ CONFIG("'ipam':{'subnet':'fd00::1/64'}"), 7, "fd00::/64" },
	{ CONFIG("'ipam':{'subnet':'fd00::/127'}"), 7, "fd00::/127" },
	{ CONFIG("'ipam':{'subnet':'fd00::/129'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'fd00::g/64'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'fe80::%eth0/64'}"), 7, "subnet" },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','gateway':'10.1.0.1'}"), 7, "gateway" },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','rangeStart':'fd01::1'}"), 7, "rangeStart" },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','rangeEnd':'10.1.0.1'}"), 7, "rangeEnd" },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','rangeStart':'fd00::9','rangeEnd':'fd00::8'}"), 7,
	  "fd00::8" },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'fd00::/64'}],[{'subnet':'fd00::/80'}]]}"), 7,
	  "overlap" },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'fd00::/64'}],[{'subnet':'fd01::/64'}]]}"), 2,
	  "fd01::/64" },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'10.1.0.0/16'}],[{'subnet':'fd00::/64'}],"
		 "[{'subnet':'10.2.0.0/16'}]]}"),
	  2, "10.2.0.0/16" },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','routes':[{'dst':'10.0.0.0/8','gw':'fd00::1'}]}"), 7,
	  "gw" },
	{ WITH("'runtimeConfig':{'ips':['fd00::1/129']}"), 7, "ips" },
	{ WITH("'runtimeConfig':{'ips':['fd00:::1']}"), 7, "ips" },
	{ WITH("'runtimeConfig':{'ipRanges':[[{'subnet':'fd00::1/64'}]]}"), 7, "ipRanges" },
	{ WITH("'runtimeConfig':{'ips':7}"), 7, "ips" },
	{ WITH("'runtimeConfig':{'ips':'x'}"), 7, "ips" },
	{ WITH("'runtimeConfig':{'ips':[7]}"), 7, "ips" },
	{ WITH("'runtimeConfig':{'ips':['x']}"), 7, "ips" },
	{ WITH("'runtimeConfig':{'ips':['10.1.0.300']}"), 7, "ips" },
	{ WITH("'runtimeConfig':{'mac':7}"), 7, "mac" },
	{ WITH("'runtimeConfig':{'mac':'x'}"), 7, "mac" },
	{ WITH("'runtimeConfig':{'aliases':7}"), 7, "aliases" },
	{ WITH("'runtimeConfig':{'aliases':'web'}"), 7, "aliases" },
	{ WITH("'runtimeConfig':{'aliases':[7]}"), 7, "aliases" },
	{ WITH("'runtimeConfig':{'ipRanges':7}"), 7, "ipRanges" },
	{ WITH("'runtimeConfig':{'ipRanges':[[7]]}"), 7, "ipRanges" },
	{ WITH("'runtimeConfig':{'ipRanges':[[{'subnet':'x'}]]}"), 7, "ipRanges" },
	{ WITH("'runtimeConfig':{'bandwidth':7}"), 7, "bandwidth" },
	{ WITH("'runtimeConfig':{'bandwidth':{'ingressRate':'x'}}"), 7, "bandwidth" },
	{ WITH("'runtimeConfig':{'bandwidth':{'ingressRate':8}}"), 7, "bandwidth" },
	{ WITH("'runtimeConfig':{'bandwidth':{'egressBurst':8}}"), 7, "bandwidth" },
	{ WITH("'runtimeConfig':{'portMappings':7}"), 7, "portMappings" },
	{ WITH("'runtimeConfig':{'portMappings':{}}"), 7, "portMappings" },
	{ WITH("'runtimeConfig':{'portMappings':[7]}"), 7, "portMappings" },
	{ WITH("'runtimeConfig':{'portMappings':[{}]}"), 7, "portMappings" },
	{ WITH("'runtimeConfig':{'dns':7}"), 7, "dns" },
	{ WITH("'runtimeConfig':{'dns':{'servers':'x'}}"), 7, "dns" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':0,'containerPort':80,'protocol':'tcp'}"
	       "]}"),
	  7, "hostPort" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':65536,'containerPort':80,'protocol':'"
	       "tcp'}]}"),
	  7, "hostPort" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':'80','containerPort':80,'protocol':'"
	       "tcp'}]}"),
	  7, "hostPort" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':0,'protocol':'tcp'}"
	       "]}"),
	  7, "containerPort" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':65536,'protocol':'"
	       "tcp'}]}"),
	  7, "containerPort" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':-1,'protocol':'tcp'"
	       "}]}"),
	  7, "containerPort" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80,'protocol':'"
	       "icmp'}]}"),
	  7, "protocol" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80,'protocol':7}]"
	       "}"),
	  7, "protocol" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80,'protocol':'tcp'"
	       ",'hostIP':'x'}]}"),
	  7, "hostIP" },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80,'protocol':'tcp'"
	       ",'hostIP':7}]}"),
	  7, "hostIP" },
	{ WITH("'args':{'cni':{'mac':7}}"), 7, "mac" },
	{ WITH("'args':{'cni':{'mac':'x'}}"), 7, "mac" },
	{ WITH("'args':{'cni':{'ips':7}}"), 7, "ips" },
	{ WITH("'args':{'cni':{'ips':['x']}}"), 7, "ips" },
	{ WITH("'args':{'cni':{'sysctl':7}}"), 7, "sysctl" },
	{ WITH("'args':{'cni':{'promisc':7}}"), 7, "promisc" },
	{ WITH("'args':{'cni':{'txQLen':-1}}"), 7, "txQLen" },
	{ WITH("'prevResult':7"), 7, "prevResult" },
	{ WITH("'prevResult':'x'"), 7, "prevResult" },
	{ WITH("'prevResult':{'ips':7}"), 7, "ips" },
	{ WITH("'prevResult':{'ips':[7]}"), 7, "ips" },
	{ WITH("'prevResult':{'ips':[{'address':'x'}]}"), 7, "address" },
	{ WITH("'prevResult':{'interfaces':7}"), 7, "interfaces" },
	{ WITH("'prevResult':{'routes':[{'dst':'x'}]}"), 7, "dst" },
	{ WITH("'prevResult':{'cniVersion':'0.4.0'}"), 7, "cniVersion" },
	{ WITH("'prevResult':{'dns':7}"), 7, "dns" },
	{ "", 6, "empty" },
	{ " ", 6, "JSON" },
	{ "{", 6, "JSON" },
	{ "[]", 6, "object" },
	{ "7", 6, "object" },
	{ "null", 6, "object" },
	{ "'x'", 6, "object" },
	{ "{'a':1}}", 6, "JSON" },
	{ "{'a':1,}", 6, "JSON" },
	{ "{'a':\xff}", 6, "JSON" },
	{ "{'name':'\xff\xfe'}", 6, "JSON" },
	{ "{'cniVersion':7}", 1, "cniVersion" },
	{ "{'cniVersion':'0.3'}", 1, "0.3" },
	{ "{'cniVersion':'1.0'}", 1, "1.0" },
	{ "{'cniVersion':'9.9.9'}", 1, "9.9.9" },
	{ "{'cniVersion':'1.0.0'}", 7, "name" },
	{ "{'cniVersion':'1.0.0','name':7}", 7, "name" },
	{ "{'cniVersion':'1.0.0','name':''}", 7, "name" },
	{ "{'cniVersion':'1.0.0','name':'a/b'}", 7, "name" },
	{ "{'cniVersion':'1.0.0','name':'../x'}", 7, "name" },
	{ "{'cniVersion':'1.0.0','name':'-a'}", 7, "name" },
	{ "{'cniVersion':'1.0.0','name':'a b'}", 7, "name" },
	{ "{'cniVersion':'1.0.0','name':'a\\u0000b'}", 6, "" },
};

static int answer(const struct cni_environment *environment, const char *config, size_t size,
		  char **ret_output)
{
	struct instance instance;
	struct error err = { 0 };

	if (instance_init("/proc", &instance, &err) < 0)
		fail_msg("%s", err.text);
	return cni_run(&instance, environment, config, size, ret_output);
}

static bool complain(const char *row, const char *output)
{
	print_error("%.300s\n  gave %.300s\n", row, output);
	return false;
}

/* One error object and nothing else, with this code and a message that names the culprit. */
static bool check_answer(const char *row, int status, const char *output, int code,
			 const char *names)
{
	auto_json json = NULL;
	struct error err = { 0 };
	int64_t got = -1;
	const char *message = NULL, *version = NULL;

	if (status != 1 || json_parse("answer", output, strlen(output), &json, &err) < 0)
		return complain(row, output);
	struct json_at root = json_root(json, "answer");
	if (json_get_integer(&root, "code", JSON_REQUIRED, 0, 999, &got, &err) < 0 ||
	    json_get_string(&root, "msg", JSON_REQUIRED, &message, &err) < 0 ||
	    json_get_string(&root, "cniVersion", JSON_REQUIRED, &version, &err) < 0 ||
	    json_count(&root) != 3)
		return complain(row, output);
	if (got != code || !strstr(message, names) || strchr(message, '\n'))
		return complain(row, output);
	return true;
}

static void check_rows(const struct row *rows, size_t count)
{
	size_t failed = 0;
	for (size_t i = 0; i < count; i++) {
		auto_free char *config = strdup(rows[i].config), *output = NULL;
		for (char *at = config; *at; at++)
			if (*at == '\'')
				*at = '"';
		int status = answer(&good, config, strlen(config), &output);
		failed += !check_answer(config, status, output, rows[i].code, rows[i].names);
	}
	assert_int_equal(failed, 0);
}

static void cni_011_wrong_values_have_a_code_and_name_their_key(void **state)
{
	(void)state;
	assert_true(ARRAY_SIZE(wrong) >= 150);
	check_rows(wrong, ARRAY_SIZE(wrong));
}

static const struct {
	struct cni_environment environment;
	const char *names;
} environments[] = {
#define CALL(id, path, name, pairs)                                                     \
	{                                                                               \
		.command = "ADD", .container_id = id, .netns = path, .interface = name, \
		.args = pairs                                                           \
	}
	{ { .command = "" }, "CNI_COMMAND" },
	{ { .command = "add" }, "\"add\"" },
	{ { .command = "ADD " }, "\"ADD \"" },
	{ { .command = "DESTROY" }, "\"DESTROY\"" },
	{ { .command = "ADD" }, "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME" },
	{ { .command = "DEL" }, "CNI_CONTAINERID, CNI_IFNAME" },
	{ { .command = "CHECK" }, "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME" },
	{ CALL("", "/n", "eth0", NULL), "CNI_CONTAINERID" },
	{ CALL("-a", "/n", "eth0", NULL), "CNI_CONTAINERID" },
	{ CALL(".a", "/n", "eth0", NULL), "CNI_CONTAINERID" },
	{ CALL("a/b", "/n", "eth0", NULL), "CNI_CONTAINERID" },
	{ CALL("a b", "/n", "eth0", NULL), "CNI_CONTAINERID" },
	{ CALL("a\n", "/n", "eth0", NULL), "CNI_CONTAINERID" },
	{ CALL("\303\251", "/n", "eth0", NULL), "CNI_CONTAINERID" },
	{ CALL("c1", "", "eth0", NULL), "CNI_NETNS" },
	{ CALL("c1", "/n", "", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", ".", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", "..", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", "a/b", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", "a:b", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", "a b", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", "0123456789abcdef", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", "\342\200\203x", NULL), "CNI_IFNAME" },
	{ CALL("c1", "/n", "eth0", "IP"), "CNI_ARGS" },
	{ CALL("c1", "/n", "eth0", "IP=x"), "IP" },
	{ CALL("c1", "/n", "eth0", "MAC=x"), "MAC" },
	{ CALL("c1", "/n", "eth0", "MAC=00:00:00:00:00:00"), "MAC" },
	{ CALL("c1", "/n", "eth0", "UNKNOWN=1"), "UNKNOWN" },
	{ CALL("c1", "/n", "eth0", "A=b=c"), "CNI_ARGS" },
	{ CALL("c1", "/n", "eth0", "=b"), "CNI_ARGS" },
	{ CALL("c1", "/n", "eth0", "IgnoreUnknown=maybe"), "IgnoreUnknown" },
	{ CALL("c1", "/n", "eth0", "ignoreunknown=true"), "ignoreunknown" },
#undef CALL
};

static void cni_007_wrong_environments_have_code_4_and_name_the_variable(void **state)
{
	static const char config[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"ipam\":{\"subnet\":\"10.1.0.0/16\"}}";
	size_t failed = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(environments); i++) {
		auto_free char *output = NULL;
		char row[32];
		snprintf(row, sizeof row, "environment %zu", i);
		int status = answer(&environments[i].environment, config, strlen(config), &output);
		failed += !check_answer(row, status, output, 4, environments[i].names);
	}
	assert_int_equal(failed, 0);
}

/* A text between two others, as often as it takes. */
static char *repeat(const char *begin, const char *middle, size_t bytes, const char *end)
{
	auto_text text = { 0 };
	char *whole = NULL;
	struct error err;
	text_append(&text, "%s", begin);
	while (text.size < bytes)
		text_append(&text, "%s", middle);
	text_append(&text, "%s", end);
	assert_int_equal(text_take(&text, &whole, &err), 0);
	return whole;
}

static void enormous_and_deep_input_is_refused(void **state)
{
	static const struct {
		const char *begin, *middle, *end;
		int code;
		const char *names;
	} rows[] = {
		{ "", "[", "", 6, "" },
		{ "", "{\"a\":", "", 6, "" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"", "x", "\"}", 7, "name" },
		{ "{\"cniVersion\":\"", "1", "\"}", 1, "cniVersion" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"bridge\":\"", "x", "\"}", 7,
		  "bridge" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"ipam\":{\"ranges\":[", "[],", "[]]}}",
		  7, "ranges" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"mtu\":", "9", "}", 6, "" },
	};
	size_t failed = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *config =
			repeat(rows[i].begin, rows[i].middle, LONG_BYTES, rows[i].end);
		auto_free char *output = NULL;
		char row[32];
		snprintf(row, sizeof row, "enormous %zu", i);
		int status = answer(&good, config, strlen(config), &output);
		failed += !check_answer(row, status, output, rows[i].code, rows[i].names);
	}
	assert_int_equal(failed, 0);
}

static void a_namespace_that_is_missing_has_code_3_and_no_namespace_code_8(void **state)
{
	static const char config[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"ipam\":{\"subnet\":\"10.1.0.0/16\"}}";
	static const struct {
		const char *netns;
		int code;
	} rows[] = { { "/nowhere/netns", 3 },
		     { "/proc/self/ns/uts", 8 },
		     { "/proc/self/ns/net", 8 },
		     { "/etc/passwd", 8 },
		     { "/etc", 8 },
		     { "relative", 3 } };
	size_t failed = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cni_environment environment = good;
		auto_free char *output = NULL;
		environment.netns = rows[i].netns;
		int status = answer(&environment, config, strlen(config), &output);
		failed += !check_answer(rows[i].netns, status, output, rows[i].code, rows[i].netns);
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cni_011_wrong_values_have_a_code_and_name_their_key),
		cmocka_unit_test(cni_007_wrong_environments_have_code_4_and_name_the_variable),
		cmocka_unit_test(enormous_and_deep_input_is_refused),
		cmocka_unit_test(a_namespace_that_is_missing_has_code_3_and_no_namespace_code_8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
