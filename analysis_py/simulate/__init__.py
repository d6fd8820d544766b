"""The demo world: real places, simulated numbers, known truth (docs/explanation/demo_world.md)."""
