# SPDX-License-Identifier: GPL-2.0-or-later
"""Floor and targets in turn; a figure is the median of pairwise ratios."""
import statistics
import sys

from .scene import Failed, quiet_machine


def log(text):
    print(text, file=sys.stderr, flush=True)


def spread(ratios):
    """The quartiles of the ratios: [lo, hi]."""
    if len(ratios) < 2:
        return [round(ratios[0], 3)] * 2
    q = statistics.quantiles(ratios, n=4, method="inclusive")
    return [round(q[0], 3), round(q[2], 3)]


def row(key, unit, pairs, version=""):
    """key: (target, metric, variant); pairs: (floor's value, target's value)."""
    ratios = [got / base for base, got in pairs if base]
    result = dict(target=key[0], metric=key[1], variant=key[2], unit=unit,
                  value=round(statistics.median(got for _, got in pairs), 3),
                  ratio_to_floor=round(statistics.median(ratios), 3) if ratios else None,
                  spread=spread(ratios) if ratios else None)
    if version:
        result["version"] = version
    return result


def skipped(target, reason):
    return dict(target=target, metric="", variant="", unit="", value=None,
                ratio_to_floor=None, spread=None, skipped=reason)


class Samples:
    """Pairs of (floor, target) by (target, metric, variant)."""

    def __init__(self, floor_name):
        self.floor_name = floor_name
        self.pairs, self.units, self.versions, self.failures = {}, {}, {}, {}

    def add(self, key, unit, base, got):
        self.pairs.setdefault(key, []).append((base, got))
        self.units[key] = unit

    def fail(self, target, reason):
        log("%s: %s" % (target, reason))
        self.failures.setdefault(target, str(reason))

    def rows(self):
        rows, floors = [], {}
        for (_, metric, variant), pairs in self.pairs.items():
            floors.setdefault((metric, variant), []).extend(base for base, _ in pairs)
        for (metric, variant), values in floors.items():
            unit = next(u for k, u in self.units.items() if k[1:] == (metric, variant))
            middle = statistics.median(values)
            rows.append(row((self.floor_name, metric, variant), unit,
                            [(middle, v) for v in values]))
        for key, pairs in self.pairs.items():
            rows.append(row(key, self.units[key], pairs, self.versions.get(key[0], "")))
        measured = {key[0] for key in self.pairs}
        rows += [skipped(t, why) for t, why in self.failures.items() if t not in measured]
        return rows


def interleave(samples, runs, options):
    """floor, A, floor, B, ...: slow drift of the machine cancels.

    runs: {(target, variant): (floor's Path, target's Path, modes)}. Values are
    rates: higher is better."""
    alive = {}
    for (target, variant), (floor, path, modes) in runs.items():
        for mode in modes:
            try:
                path.run(mode, 0.1)
                alive[(target, variant, mode)] = (floor, path)
            except Failed as error:
                samples.fail(target, "%s: %s" % (mode, error))
    for _ in range(options.reps):
        for (target, variant, mode), (floor, path) in alive.items():
            with quiet_machine():
                base = floor.run(mode, options.duration)
                try:
                    got = path.run(mode, options.duration)
                except Failed as error:
                    samples.fail(target, "%s: %s" % (mode, error))
                    continue
            samples.add((target, mode, variant), got["unit"], base["value"], got["value"])
