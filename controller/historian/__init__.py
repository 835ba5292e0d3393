"""What was measured and what happened, kept: samples thinned with age, events for ever."""
