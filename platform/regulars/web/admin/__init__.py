"""The admin port: metrics and health for the operator's machines, and questions of the proxy. Not for visitors."""
