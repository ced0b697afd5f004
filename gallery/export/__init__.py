"""Pure image work of exports: crops, layers, encoding, names, manifests. Knows no models and no settings."""
