"""splink over the two lists: trained without labels, pairs above 95 %. Runs in its own environment.

``python with_splink.py FOLDER`` prints what it found as JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

import duckdb  # type: ignore[import-not-found]  # of that environment
import splink.comparison_library as cl  # type: ignore[import-not-found]  # of that environment
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

SURE = 0.95


def main() -> None:
    folder = Path(sys.argv[1])
    begun = time.perf_counter()
    connection = duckdb.connect()
    for name in ("sales", "service"):
        connection.execute(
            f"create table {name} as select * replace (nullif(email, '') as email, "
            "nullif(mobile, '') as mobile, nullif(city, '') as city, nullif(postcode, '') as "
            f"postcode, nullif(company, '') as company) from read_csv('{folder / name}.csv', "
            "all_varchar = true)"
        )
    api = DuckDBAPI(connection=connection)
    linker = Linker([api.register(name) for name in ("sales", "service")], _settings())
    train = linker.training
    train.estimate_probability_two_random_records_match(
        [block_on("email", "last"), block_on("mobile", "last")], recall=0.7
    )
    train.estimate_u_using_random_sampling(max_pairs=1e6)
    train.estimate_parameters_using_expectation_maximisation(block_on("mobile"))
    train.estimate_parameters_using_expectation_maximisation(block_on("email"))
    pairs = linker.inference.predict(threshold_match_probability=SURE).as_duckdbpyrelation()
    found = pairs.project("id_l, id_r").fetchall()
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    right = {left for left, other in found if left.split("-")[1] == other.split("-")[1]}
    told = {
        "wall": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "rss": used.ru_maxrss / 1024,
        "right": len(right),
        "wrong": sum(left.split("-")[1] != other.split("-")[1] for left, other in found),
    }
    sys.stdout.write(json.dumps(told))


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="id",
        blocking_rules_to_generate_predictions=[
            block_on("email"),
            block_on("mobile"),
            block_on("last", "company"),
            block_on("last", "first", "city"),
            block_on("last", "first", "postcode"),
        ],
        comparisons=[
            cl.NameComparison("first"),
            cl.NameComparison("last"),
            cl.ExactMatch("email"),
            cl.ExactMatch("mobile"),
            cl.ExactMatch("company"),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode"),
        ],
    )


main()
