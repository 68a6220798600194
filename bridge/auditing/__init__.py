"""The audit: pairs obligations with checks, judges each, replays or searches single instances."""
