"""The web: pipeline, tenancy, sign-in, toolkit for views, and one package per audience."""
