"""What protocols are built from: components with slots, overseers, wrappers, and the profiles of
people and model. It may import `core` and `worlds`."""
