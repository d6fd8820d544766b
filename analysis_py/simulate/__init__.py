"""The demo world: real places, simulated numbers, known truth (docs/explanation/demo_world.md)."""

#: Sources of the demo world that are drawn as Parquet files when a warehouse is built, instead of kept as seeds.
DRAWN_SOURCES = ("listed_firms", "listed_firm_assets", "listed_firm_links")
