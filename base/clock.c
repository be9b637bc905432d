/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as numbers and as Docker's words. */
#include <stdio.h>
#include <time.h>

#include "base/loop.h"

uint64_t clock_monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t clock_wall_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void time_format(int64_t wall_ns, char ret_text[TIME_TEXT_MAX])
{
	int64_t nanoseconds = wall_ns % 1000000000;
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm parts;
	char date[24];
	if (nanoseconds < 0) {
		nanoseconds += 1000000000;
		seconds--;
	}
	gmtime_r(&seconds, &parts);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(ret_text, TIME_TEXT_MAX, "%s.%09lldZ", date, (long long)nanoseconds);
}

void time_format_age(int64_t age_ns, char ret_text[TIME_TEXT_MAX])
{
	static const struct {
		int64_t below_s, unit_s;
		const char *name;
	} steps[] = { { 60, 1, "second" },
		      { 3600, 60, "minute" },
		      { 172800, 3600, "hour" },
		      { 1209600, 86400, "day" },
		      { 5184000, 604800, "week" },
		      { 63072000, 2592000, "month" },
		      { INT64_MAX, 31536000, "year" } };
	int64_t seconds = age_ns < 0 ? 0 : age_ns / 1000000000;
	size_t i = 0;
	if (seconds < 1) {
		snprintf(ret_text, TIME_TEXT_MAX, "Less than a second");
		return;
	}
	while (seconds >= steps[i].below_s)
		i++;
	long long count = seconds / steps[i].unit_s;
	if (count == 1 && i == 1)
		snprintf(ret_text, TIME_TEXT_MAX, "About a minute");
	else if (count == 1 && i == 2)
		snprintf(ret_text, TIME_TEXT_MAX, "About an hour");
	else
		snprintf(ret_text, TIME_TEXT_MAX, "%lld %s%s", count, steps[i].name,
			 count == 1 ? "" : "s");
}
