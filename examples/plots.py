"""Four plots of a recording, as PNGs: price with trades, spread, IV smile, coverage.

    python3 examples/plots.py edgetape-demo/nas plots

Needs the package of this repository, `pip install ./python`, and matplotlib. Reads Parquet only: a dataDir or its copy on a NAS.
"""

import argparse
from pathlib import Path

import edgetape
import matplotlib

matplotlib.use("Agg")  # no window: files only
import matplotlib.dates as dates
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import ticker
from matplotlib.colors import LogNorm

BUY, SELL, LINE, QUIET, BAD = "#1a7f5a", "#c2413b", "#33557a", "#9aa5b1", "#c2413b"
BUCKETS_MAX = 90
plt.rcParams.update(
    {"figure.dpi": 130, "figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False}
)


class Recording:
    """The tables of one exchange in a tree, by name; times as seconds since the epoch."""

    def __init__(self, root: Path, exchange: str):
        self.exchange = exchange
        self.tape = edgetape.open(root)
        folder = self.tape.root / "parquet" / f"exchange={exchange}"
        self.tables = [name for name in self.tape.tables if (folder / f"table={name}").is_dir()]

    def columns(self, sql: str, *values) -> dict[str, np.ndarray]:
        """The columns of a query's answer; NULL becomes NaN."""
        found = self.tape.sql(sql, values).fetchnumpy()
        return {
            name: column.astype(float).filled(np.nan) if np.ma.isMaskedArray(column) and column.dtype.kind in "fiu" else column
            for name, column in found.items()
        }


def clock(seconds: np.ndarray) -> np.ndarray:
    return dates.date2num((np.asarray(seconds) * 1e6).astype("datetime64[us]"))


def on_clock(axes) -> None:
    locator = dates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.set_xlabel("UTC")


def gaps_of(
    recording: Recording, channel: str, since: float = 0, until: float = np.inf, instrument: str = ""
) -> dict[str, np.ndarray]:
    """When a channel is missing, as the account says: of any of its instruments, or of one."""
    whose = f"""(instrument_name = ? OR instrument_name IS NULL AND instrument_kind IN
        (SELECT kind FROM {recording.exchange}.{channel} WHERE instrument_name = ?))"""
    return recording.columns(
        f"""SELECT DISTINCT epoch(from_ts) AS since, epoch(to_ts) AS until FROM gaps
        WHERE exchange = ? AND channel = ? AND epoch(to_ts) > ? AND epoch(from_ts) < ? AND state IN ('missing', 'not recording') {f"AND {whose}" if instrument else ""}
        ORDER BY since""",
        recording.exchange,
        channel,
        since,
        until,
        *([instrument, instrument] if instrument else []),
    )


def quotes_of(recording: Recording, instrument: str) -> dict[str, np.ndarray]:
    """Quotes as they changed; NaN from the begin of a gap to the next one."""
    quotes = recording.columns(
        f"""SELECT epoch(exchange_ts) AS at, best_bid_price AS bid, best_ask_price AS ask
        FROM {recording.exchange}.quote WHERE instrument_name = ? ORDER BY exchange_ts, seq""",
        instrument,
    )
    gaps = gaps_of(recording, "quote", instrument=instrument)["since"]
    places = np.searchsorted(quotes["at"], gaps, side="right")
    blank = {"at": gaps, "bid": np.nan, "ask": np.nan}
    return {name: np.insert(quotes[name].astype(float), places, blank[name]) for name in blank}


def plot_price(recording: Recording, instrument: str):
    """Best bid and ask as a band, each trade as a dot as large as its amount."""
    quotes = quotes_of(recording, instrument)
    trades = recording.columns(
        f"""SELECT epoch(exchange_ts) AS at, price, amount, direction = 'buy' AS bought
        FROM {recording.exchange}.trades WHERE instrument_name = ? ORDER BY exchange_ts, trade_seq""",
        instrument,
    )
    figure, axes = plt.subplots(figsize=(9, 4.5))
    axes.fill_between(
        clock(quotes["at"]), quotes["bid"], quotes["ask"], step="post", color=LINE, alpha=0.35, label="bid to ask", linewidth=0.8
    )
    largest = max(trades["amount"], default=1)
    for bought, colour, label in ((True, BUY, "bought"), (False, SELL, "sold")):
        chosen = trades["bought"] == bought
        axes.scatter(
            clock(trades["at"][chosen]),
            trades["price"][chosen],
            s=8 + 60 * trades["amount"][chosen] / largest,
            color=colour,
            alpha=0.65,
            linewidth=0,
            label=f"{label} ({int(chosen.sum())})",
            zorder=3,
        )
    axes.set(title=f"{instrument}: price and trades", ylabel="price")
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.legend(frameon=False, loc="best")
    on_clock(axes)
    return figure


def plot_spread(recording: Recording, instrument: str):
    """Ask minus bid in basis points of their middle; one-sided moments are left out."""
    quotes = quotes_of(recording, instrument)
    middle = (quotes["bid"] + quotes["ask"]) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.where((quotes["bid"] > 0) & (quotes["ask"] > 0), 1e4 * (quotes["ask"] - quotes["bid"]) / middle, np.nan)
    figure, (course, shares) = plt.subplots(1, 2, figsize=(9, 4), sharey=True, gridspec_kw={"width_ratios": [4, 1]})
    course.step(clock(quotes["at"]), spread, where="post", color=LINE, linewidth=0.8)
    typical = np.nanmedian(spread)
    course.axhline(typical, color=BAD, linewidth=1, linestyle="--", label=f"median {typical:.2f} bp")
    course.set(title=f"{instrument}: spread", ylabel="basis points", yscale="log")
    course.legend(frameon=False, loc="upper right")
    on_clock(course)
    positive = spread[np.isfinite(spread) & (spread > 0)]
    if positive.size > 0:
        shares.hist(positive, bins=np.geomspace(positive.min(), positive.max() * 1.01, 30), orientation="horizontal", color=QUIET)
    shares.set(xlabel="quotes")
    return figure


def last_smiles(recording: Recording, currency: str) -> dict[str, np.ndarray]:
    """IV of the option out of the money at each strike, as of its last ticker, the first expiry first."""
    return recording.columns(
        f"""WITH last AS (
          SELECT split_part(instrument_name, '-', 2) AS expiry, split_part(instrument_name, '-', 4) AS side,
            replace(split_part(instrument_name, '-', 3), 'd', '.')::DOUBLE AS strike,
            unnest(arg_max({{mark: mark_iv, bid: bid_iv, ask: ask_iv, forward: underlying_price}}, (exchange_ts, seq)))
          FROM {recording.exchange}.ticker WHERE kind = 'option' AND currency = ? AND mark_iv > 0
          GROUP BY instrument_name)
        FROM last QUALIFY (side = 'C') = (strike >= median(forward) OVER (PARTITION BY expiry))
        ORDER BY strptime(expiry, '%-d%b%y'), strike""",
        currency,
    )


def plot_smile(recording: Recording, currency: str, expiries: int = 3):
    """IV by strike for the first expiries, a panel each: the exchange's mark, and bid to ask as a bar."""
    found = last_smiles(recording, currency)
    names = list(dict.fromkeys(found["expiry"]))[:expiries]
    figure, panels = plt.subplots(1, max(len(names), 1), figsize=(9, 4), sharey=True, squeeze=False)
    shown = found["mark"][np.isin(found["expiry"], names)]
    for axes, name in zip(panels[0], names):
        strike, mark, bid, ask, forward = (found[key][found["expiry"] == name] for key in ("strike", "mark", "bid", "ask", "forward"))
        # An IV of 0 stands for "no bid"; there is no bar then.
        both = (bid > 0) & (ask > 0)
        axes.vlines(strike[both], bid[both], ask[both], color=QUIET, alpha=0.6, linewidth=5, label="bid to ask")
        axes.plot(strike, mark, color=LINE, marker="o", markersize=3, linewidth=1.2, label="mark")
        axes.axvline(np.median(forward), color=BAD, linestyle=":", linewidth=1, label="underlying")
        axes.set(title=name, xlabel="strike")
        axes.xaxis.set_major_locator(ticker.MaxNLocator(4))
    if names:
        # Bars of options that hardly trade are tens of times as long as the smile is high; they may leave the picture.
        margin = max(1.5 * np.ptp(shown), 0.05 * shown.max())
        panels[0][0].set_ylim(max(shown.min() - margin, 0), shown.max() + margin)
        figure.legend(*panels[0][0].get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=3)
    panels[0][0].set_ylabel("IV, %")
    figure.suptitle(f"{currency} options: implied volatility by strike")
    return figure


def plot_coverage(recording: Recording):
    """Rows of each table over time, and what of it is missing, as the account says."""
    tables = [name for name in recording.tables if not name.startswith("coverage") and name != "journal"]
    spans = [
        recording.columns(f"SELECT epoch(min(recv_ts)) AS first, epoch(max(recv_ts)) AS last FROM {recording.exchange}.{name}")
        for name in tables
    ]
    first, last = min(span["first"][0] for span in spans), max(span["last"][0] for span in spans)
    # Slow channels send once a second: narrower buckets would show holes that are none.
    buckets = int(np.clip((last - first) // 1.5, 1, BUCKETS_MAX))
    width = max((last - first) / buckets, 1e-6)
    counts = np.zeros((len(tables), buckets))
    for row, name in enumerate(tables):
        found = recording.columns(
            f"""SELECT least(floor((epoch(recv_ts) - ?) / ?), {buckets - 1})::BIGINT AS bucket, count(*) AS n
            FROM {recording.exchange}.{name} GROUP BY 1""",
            first,
            width,
        )
        counts[row, np.asarray(found["bucket"], dtype=int)] = found["n"]
    gaps = {name: gaps_of(recording, name, first, last) for name in tables}
    untold = recording.columns("SELECT from_ts FROM gaps WHERE channel IS NULL AND epoch(from_ts) < ? AND epoch(to_ts) > ?", last, first)
    figure, axes = plt.subplots(figsize=(9, 0.28 * len(tables) + 1.6))
    edges = clock(first + width * np.arange(buckets + 1))
    rates = np.ma.masked_equal(counts / width, 0)
    mesh = axes.pcolormesh(edges, np.arange(len(tables) + 1), rates, cmap="viridis", norm=LogNorm())
    for row, found in enumerate(gaps.values()):
        spans = [(since, until - since) for since, until in zip(clock(found["since"]), clock(found["until"]))]
        axes.broken_barh(spans, (row, 1), color=BAD, linewidth=0)
    axes.set_yticks(np.arange(len(tables)) + 0.5, tables, fontsize=8)
    axes.invert_yaxis()
    count = sum(len(found["since"]) for found in gaps.values())
    known = "; of some days the account is not written yet" if len(untold["from_ts"]) > 0 else ""
    axes.set(title=f"What came when; spans missing (red): {count}{known}")
    axes.set_xlim(edges[0], edges[-1])
    figure.colorbar(mesh, label="rows per second")
    on_clock(axes)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="dataDir, or its copy on a NAS")
    parser.add_argument("out", type=Path, help="folder for the PNGs; made where it is missing")
    parser.add_argument("--exchange", default="deribit")
    parser.add_argument("--instrument", default="BTC-PERPETUAL", help="of price and spread")
    parser.add_argument("--currency", default="BTC", help="of the smile")
    args = parser.parse_args()
    recording = Recording(args.root, args.exchange)
    args.out.mkdir(parents=True, exist_ok=True)
    plots = {
        "price": lambda: plot_price(recording, args.instrument),
        "spread": lambda: plot_spread(recording, args.instrument),
        "smile": lambda: plot_smile(recording, args.currency),
        "coverage": lambda: plot_coverage(recording),
    }
    for name, plot in plots.items():
        path = args.out / f"{name}.png"
        plot().savefig(path)
        print(path)


if __name__ == "__main__":
    main()
