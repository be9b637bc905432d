/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was probed and chosen, and what is wrong, for people. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "attach.h"
#include "backend.h"
#include "base/file.h"
#include "doctor_host.h"
#include "load.h"

struct doctor {
	const struct instance *instance;
	struct dataplane *dataplane; /* NULL if it cannot be opened */
	int (*visit)(enum doctor_level level, const char *subject, const char *finding,
		     void *context, struct error *err);
	void *context;
};

static int tell(const struct doctor *doctor, enum doctor_level level, struct error *err,
		const char *subject, const char *format, ...) __attribute__((format(printf, 5, 6)));
static int tell(const struct doctor *doctor, enum doctor_level level, struct error *err,
		const char *subject, const char *format, ...)
{
	char finding[ERROR_TEXT_MAX];
	va_list list;
	va_start(list, format);
	vsnprintf(finding, sizeof finding, format, list);
	va_end(list);
	return doctor->visit(level, subject, finding, doctor->context, err);
}

static int tell_kernel(const struct doctor *doctor, struct error *err)
{
	struct utsname name;
	uname(&name);
	int r = tell(doctor, DOCTOR_FACT, err, "kernel", "%s %s", name.release, name.machine);
	if (r == 0)
		r = tell(doctor, DOCTOR_FACT, err, "kernel ticks", "%u a second",
			 load_jiffies_per_second());
	if (r == 0)
		r = tell(doctor, DOCTOR_FACT, err, "checksums", "%s",
			 load_knows_ip_summed() ? "programs read skb->ip_summed"
						: "by helpers: the kernel is older than 6.2");
	return r;
}

static int tell_backend(const struct doctor *doctor, struct error *err)
{
	struct error why = { 0 };
	struct backend_choice choice;
	if (backend_choose(doctor->instance, &choice, &why) < 0)
		return tell(doctor, DOCTOR_FAILURE, err, "backend", "%s", why.text);
	const char *why_so = choice.configured ? "as the configuration says" : "probed";
	if (choice.backend == BACKEND_BPF)
		return tell(doctor, DOCTOR_FACT, err, "backend", "bpf, %s", why_so);
	return tell(doctor, choice.configured ? DOCTOR_FACT : DOCTOR_WARNING, err, "backend",
		    "nft, %s%s", why_so,
		    choice.configured ? "" : ": this kernel refuses BPF programs");
}

static int tell_cgroup(const struct doctor *doctor, struct error *err)
{
	char path[256];
	struct error why = { 0 };
	if (attach_cgroup_root(path, sizeof path, &why) < 0)
		return tell(doctor, DOCTOR_FAILURE, err, "cgroup root", "%s", why.text);
	return tell(doctor, DOCTOR_FACT, err, "cgroup root", "%s", path);
}

static int tell_masquerade(const struct doctor *doctor, struct error *err)
{
	struct port_range ports;
	struct error why = { 0 };
	if (load_masquerade_ports(doctor->instance, &ports, &why) < 0)
		return tell(doctor, DOCTOR_FAILURE, err, "masquerade ports", "%s", why.text);
	return tell(doctor, DOCTOR_FACT, err, "masquerade ports", "%u-%u", ports.first,
		    ports.first + ports.count - 1);
}

static int tell_tables(const struct doctor *doctor, struct error *err)
{
	static const enum map_id shown[] = { MAP_SLOTS, MAP_FLOWS, MAP_OPENING, MAP_PORTS };
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		uint32_t entries;
		int r = map_capacity(&doctor->dataplane->maps, shown[i], &entries, err);
		if (r == 0)
			r = tell(doctor, DOCTOR_FACT, err, map_name(shown[i]), "%u entries",
				 entries);
		if (r != 0)
			return r;
	}
	return 0;
}

static int tell_dataplane(const struct doctor *doctor, struct error *err)
{
	int r = tell(doctor, DOCTOR_FACT, err, "pins", "%s, layout %d", doctor->instance->bpf,
		     ABI_VERSION);
	if (r == 0)
		r = tell(doctor, DOCTOR_FACT, err, "uplink attach", "%s",
			 attach_kind_name(doctor->dataplane->attach));
	if (r == 0)
		r = tell(doctor, DOCTOR_FACT, err, "container attach",
			 "clsact, shared ingress block %u", doctor->dataplane->block);
	return r < 0 ? r : tell_tables(doctor, err);
}

/* A doctor changes nothing: what is not loaded is not loaded by it. */
static int tell_unloaded(const struct doctor *doctor, struct error *err)
{
	struct error why = { 0 };
	if (load_check_bpffs(doctor->instance, &why) < 0)
		return tell(doctor, DOCTOR_FAILURE, err, "data path", "%s", why.text);
	return tell(doctor, DOCTOR_FACT, err, "data path",
		    "not loaded yet: the first network loads it");
}

/* Who filters forwarded packets does not see those that wherry redirects. */
static int tell_forwarding(const struct doctor *doctor, struct error *err)
{
	auto_free char *tables = NULL;
	size_t size;
	struct error ignored = { 0 };
	if (file_read("/proc/net/ip_tables_names", 4096, &tables, &size, &ignored) < 0 ||
	    !strstr(tables, "filter"))
		return 0;
	return tell(doctor, DOCTOR_WARNING, err, "iptables",
		    "the filter table is in use: its FORWARD rules do not see containers' traffic");
}

int doctor_each(const struct instance *instance,
		int (*visit)(enum doctor_level level, const char *subject, const char *finding,
			     void *context, struct error *err),
		void *context, struct error *err)
{
	struct doctor doctor = { .instance = instance, .visit = visit, .context = context };
	struct error why = { 0 };
	AUTO(dataplane) dataplane = NULL;

	int r = tell_kernel(&doctor, err);
	if (r == 0)
		r = tell_backend(&doctor, err);
	if (r == 0)
		r = tell_cgroup(&doctor, err);
	if (r == 0)
		r = tell_masquerade(&doctor, err);
	if (r == 0)
		r = tell_forwarding(&doctor, err);
	if (r != 0)
		return r;
	r = load_check(instance, &why);
	if (r == 0)
		return tell_unloaded(&doctor, err);
	if (r < 0 || dataplane_open(instance, &dataplane, &why) < 0)
		return tell(&doctor, DOCTOR_FAILURE, err, "data path", "%s", why.text);
	doctor.dataplane = dataplane;
	struct doctor_ear ear = { .visit = visit, .context = context };
	r = tell_dataplane(&doctor, err);
	return r < 0 ? r : doctor_host(dataplane, &ear, err);
}
