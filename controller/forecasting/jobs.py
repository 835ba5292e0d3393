"""The way in: the two pure jobs of a forecaster, for a worker process.

This module loads neither numpy nor scikit-learn, so that the daemon can name the jobs. A trained model is bytes to
everyone but the worker.
"""

from __future__ import annotations

from controller.core.forecast import Forecast, Forecaster, ForecastJob, Trained, TrainingJob

# Generous: thirteen months take seconds, a slow box with cold libraries some ten times that.
WITHIN_S = 120.0


def train(job: TrainingJob) -> Trained:
    """Learn from all that was known at `job.at`. Raises UnusableHistory. Heavy: for a worker process."""
    from controller.forecasting import training

    return training.train(job)


def predict(job: ForecastJob) -> Forecast:
    """The 24 hours from `job.at`. Raises UnusableHistory. For a worker process."""
    from controller.forecasting import prediction

    return prediction.predict(job)


FORECASTER = Forecaster(train, predict, WITHIN_S)
