"""Right answers to serving/load_report, each in its own style."""

from halfbits.course.authoring.contract import swap

NUMPY_RANK = """
import numpy as np
def percentile(values, percent):
    return float(np.percentile(values, percent, method="inverted_cdf"))
"""
COUNTED = """
import math
def percentile(values, percent):
    ordered = sorted(values)
    for i, value in enumerate(ordered, 1):
        if 100 * i >= percent * len(ordered):
            return value
"""
NUMPY = """
import numpy as np
def load_report(requests, ttft_limit, tpot_limit):
    arrival = np.array([r["arrival"] for r in requests])
    count = np.array([len(r["times"]) for r in requests])
    first = np.array([r["times"][0] if r["times"] else np.nan for r in requests])
    last = np.array([r["times"][-1] if r["times"] else np.nan for r in requests])
    ttft = first - arrival
    tpot = np.where(count > 1, (last - first) / np.maximum(count - 1, 1), np.nan)
    out = {}
    for name, values in {"ttft": ttft, "tpot": tpot}.items():
        values = values[~np.isnan(values)].tolist()
        for p in (50, 99):
            out[f"{name}_p{p}"] = percentile(values, p) if values else float("nan")
    served = count > 0
    good = served & (ttft <= ttft_limit) & ((count == 1) | (tpot <= tpot_limit))
    span = last[served].max() - arrival.min() if served.any() else np.inf
    out["tokens_per_second"] = float(count.sum() / span)
    out["goodput"] = float(good.sum() / span)
    return out
"""
LOOP = """
def load_report(requests, ttft_limit, tpot_limit):
    firsts, gaps, tokens, good, begin, end = [], [], 0, 0, float("inf"), None
    for request in requests:
        begin = min(begin, request["arrival"])
        times = request["times"]
        if not times:
            continue
        tokens += len(times)
        end = times[-1] if end is None else max(end, times[-1])
        firsts.append(times[0] - request["arrival"])
        ok = firsts[-1] <= ttft_limit
        if len(times) >= 2:
            gaps.append((times[-1] - times[0]) / (len(times) - 1))
            ok = ok and gaps[-1] <= tpot_limit
        good += ok
    def p(values, percent):
        return percentile(values, percent) if values else float("nan")
    seconds = 0 if end is None else end - begin
    return {
        "ttft_p50": p(firsts, 50), "ttft_p99": p(firsts, 99),
        "tpot_p50": p(gaps, 50), "tpot_p99": p(gaps, 99),
        "tokens_per_second": tokens / seconds if seconds else 0.0,
        "goodput": good / seconds if seconds else 0.0,
    }
"""

RIGHT = {
    "numpy's inverted distribution": NUMPY_RANK,
    "counted upwards": COUNTED,
    "numpy arrays with NaN": NUMPY,
    "one loop": LOOP,
    "rounded up by ceil": swap(
        "percentile", "-(-percent * len(values) // 100)", "(percent * len(values) + 99) // 100"
    ),
}
