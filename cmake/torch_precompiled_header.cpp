// The object that owns the precompiled ATen header shared by all targets.
