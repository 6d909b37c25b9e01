"""Charts: functions from a language to a Vega-Lite specification."""
