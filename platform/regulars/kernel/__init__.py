"""Mechanisms without loyalty vocabulary: configuration, servers, sessions, plugins, jobs, events."""
