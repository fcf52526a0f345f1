"""What is created from one environment file: the settings, the constructs and the chart."""

__version__ = "0.1.0"
