"""Alerts: what a person should hear of after a refresh, once each, and the ways to tell them."""
