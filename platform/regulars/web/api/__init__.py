"""The JSON API: store, storefront and admin."""
