"""Worlds: where items, their truths and their task trees come from."""
