"""Wrong answers to evaluation/paired_bootstrap: each is one misconception."""

DIFFERENCE = "difference = second - first"
NAMES = "names, places = groups.unique(return_inverse=True)"
MEANS = "means = sums[draws].sum(1) / counts[draws].sum(1)"
ENDS = "torch.tensor([0.025, 0.975], dtype=torch.float64)"

SUMS = "sums = torch.zeros(len(names), dtype=torch.float64).index_add({}, places, difference)"

EQUIVALENT = {SUMS.format(-1): "a vector has one dimension"}

WRONG = {
    "test_each_item_its_own_cluster_is_the_plain_bootstrap": [
        ("first minus second", "a loss is a negative", DIFFERENCE, "difference = first - second"),
        ("5 % at each end", "2.5 % at each end", ENDS, ENDS.replace("0.025, 0.975", "0.05, 0.95")),
        (
            "the smallest and the largest value",
            "off by",
            "means.quantile(" + ENDS + ").tolist()",
            "(means.min().item(), means.max().item())",
        ),
        (
            "high before low",
            "off by",
            "return low, high",
            "return high, low",
        ),
        (
            "a normal curve",
            "off by",
            "return low, high",
            "return tuple((means.mean() + z * means.std()).item() for z in (-1.96, 1.96))",
        ),
        (
            "the values of single draws",
            "off by",
            MEANS,
            "means = (sums / counts)[draws].flatten()",
        ),
        ("without interpolation", "off by", ENDS + ")", ENDS + ', interpolation="lower")'),
    ],
    "test_clusters_are_drawn_whole_and_items_weigh_alike": [
        (
            "scores as they lie",
            "off by",
            DIFFERENCE,
            f"second = second.as_strided(second.shape, (1,))\n    {DIFFERENCE}",
        ),
        (
            "each drawn cluster once",
            "with replacement",
            MEANS,
            "means = torch.stack(\n"
            "        [sums[row.unique()].sum() / counts[row.unique()].sum() for row in draws]\n"
            "    )",
        ),
        (
            "a mask of drawn clusters",
            "with replacement",
            MEANS,
            "means = torch.stack([difference[torch.isin(places, row)].mean() for row in draws])",
        ),
        (
            "draws are places of items",
            "look like many texts",
            MEANS,
            "means = difference[draws].mean(1)",
        ),
        (
            "the first item of each cluster",
            "look like many texts",
            MEANS,
            "first_of = torch.stack([(places == k).nonzero()[0, 0] for k in range(len(names))])\n"
            "    means = difference[first_of[draws]].mean(1)",
        ),
        ("the mean of means", "of one item like", MEANS, "means = (sums / counts)[draws].mean(1)"),
        (
            "draws as they lie",
            "off by",
            MEANS,
            f"draws = draws.as_strided(draws.shape, (draws.shape[1], 1))\n    {MEANS}",
        ),
        (
            "divided by the original number",
            "look like many texts",
            MEANS,
            "means = sums[draws].sum(1) / len(difference)",
        ),
        (
            "divided by the number of clusters",
            "look like many texts",
            MEANS,
            "means = sums[draws].mean(1)",
        ),
    ],
    "test_largest_and_smallest_data_have_their_interval": [
        ("axes of 1 are dropped", "raised", MEANS, MEANS.replace("[draws]", "[draws.squeeze()]")),
        (
            "a thousand items",
            "off by",
            DIFFERENCE,
            "difference = (second - first) * (len(first) < 1001)",
        ),
    ],
    "test_names_may_be_any_numbers_in_any_order": [
        (
            "names in order of appearance",
            "are seldom sorted",
            NAMES,
            "names = list(dict.fromkeys(groups.tolist()))\n"
            "    places = torch.tensor([names.index(g) for g in groups.tolist()])",
        ),
        (
            "names are runs of neighbors",
            "expected",
            NAMES,
            "names, places = groups.unique_consecutive(return_inverse=True)",
        ),
        (
            "names are places",
            "are seldom sorted",
            NAMES,
            "names, places = groups.unique(), groups % len(groups.unique())",
        ),
    ],
    "test_what_is_hard_for_both_cancels": [
        (
            "each model its own draw",
            "stay together",
            MEANS,
            "a, b = (torch.zeros(len(names)).double().index_add(0, places, x)"
            " for x in (first, second))\n"
            "    n, flipped = counts[draws].sum(1), draws.flip(0)\n"
            "    means = b[draws].sum(1) / n - a[flipped].sum(1) / counts[flipped].sum(1)",
        ),
        (
            "the difference of two intervals",
            "stay together",
            "return low, high",
            "ends = []\n"
            "    for x in (first, second):\n"
            "        own = torch.zeros(len(names)).double().index_add(0, places, x)\n"
            "        ends.append((own[draws].sum(1) / counts[draws].sum(1)).quantile("
            + ENDS
            + "))\n"
            "    return tuple((ends[1] - ends[0].flip(0)).tolist())",
        ),
        (
            "float32 sums of the scores",
            "off by",
            DIFFERENCE,
            "difference = (second.float() - first.float()).double()",
        ),
    ],
}
