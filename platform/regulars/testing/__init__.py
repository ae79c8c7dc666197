"""The test kit, for the host and for plugin authors: fixtures with real servers, factories, conformance tests."""
