"""The forecasts that site.yaml asks for: trained every night on the site's own history, made anew every hour, and
scored when their time has come.

Whatever fails costs the forecast alone: the last one stands until it is over, strategies then plan without.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from controller.core.errors import EnvironmentProblem, HistorianError
from controller.core.event import EventKind, JsonValue
from controller.core.forecast import (
    HORIZON,
    LEARNED_FROM,
    LOOKED_BACK_UPON,
    STEP,
    Forecast,
    Forecaster,
    ForecastJob,
    History,
    Readings,
    Source,
    Trained,
    TrainingJob,
    UnusableHistory,
)
from controller.core.forecast_outcome import outcome
from controller.core.forecast_score import Score
from controller.core.point import PointId
from controller.core.ports import Clock, Historian, Phase
from controller.core.site import ForecastTarget, Site
from controller.runtime.journal import Journal
from controller.runtime.quarter_hours import QuarterHours
from controller.runtime.store import Store
from controller.runtime.workers import WorkerFailed, Workers

log = logging.getLogger(__name__)

# As soon as the day's last minute is in history.
TRAIN_AT: dict[str, int | str] = {"hour": 0, "minute": 1}
# Each hour is forecast from this long after its beginning: the hour before is in history then, and at midnight the
# night's training has been done.
AFTER_THE_HOUR = timedelta(minutes=5)
# Twice as many as there are in a day: of those that history cannot score for so long nobody asks any more.
MOST_WAITING = 48
# A wall clock that is set must be noticed soon.
LONGEST_SLEEP_S = 60.0
_HOUR = timedelta(hours=1)
_NOTHING = Readings(array("q"), array("d"))

JobT = TypeVar("JobT")
AnswerT = TypeVar("AnswerT")


@dataclass(slots=True)
class LoadForecast:
    """One target. waiting: forecasts that are not scored yet. troubles: what fails now, by step; failures: how often
    anything has failed since the start."""

    target: ForecastTarget
    trained: Trained | None = None
    forecast: Forecast | None = None
    waiting: deque[Forecast] = field(default_factory=lambda: deque[Forecast](maxlen=MOST_WAITING))
    score: Mapping[str, JsonValue] | None = None
    troubles: dict[str, str] = field(default_factory=dict[str, str])
    failures: int = 0


class LoadForecasts:
    """forecaster: None where nobody forecasts; there are then no forecasts. quarter_hours: of this history."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        historian: Historian,
        store: Store,
        workers: Workers,
        journal: Journal,
        forecaster: Forecaster | None,
        quarter_hours: QuarterHours,
    ) -> None:
        self._site = site
        self._clock = clock
        self._historian = historian
        self._store = store
        self._workers = workers
        self._journal = journal
        self._forecaster = forecaster
        self._quarter_hours = quarter_hours
        self._turn = asyncio.Lock()
        targets = site.forecasts if forecaster is not None else ()
        self.all: Sequence[LoadForecast] = [LoadForecast(target) for target in targets]

    def present(self, point: PointId, now: datetime) -> Forecast | None:
        """The latest forecast of a point, unless there is none or it is over."""
        for each in self.all:
            if each.target.point == point and each.forecast is not None and now < each.forecast.end:
                return each.forecast
        return None

    def succeed(self, earlier: LoadForecasts) -> None:
        """What is foretold stays foretold."""
        before = {each.target: each for each in earlier.all}
        self.all = [before.get(each.target, each) for each in self.all]

    async def restore(self, stored: Mapping[PointId, Trained]) -> None:
        """What an earlier run has learned and foretold; what another version has told in another form is left."""
        for each in self.all:
            if each.trained is not None:
                continue
            each.trained = stored.get(each.target.point)
            try:
                await self._restore_from_events(each)
            except (HistorianError, KeyError, TypeError, ValueError) as error:
                log.warning("earlier forecasts of %s are not known: %s", each.target.point, error)

    async def run(self) -> None:
        """A forecast of every hour, for ever."""
        made: datetime | None = None
        while self.all:
            moment = self._clock.now() - AFTER_THE_HOUR
            if made is None or not made <= moment < made + _HOUR:
                hour = self._full_hour(moment)
                if hour != made:
                    await self._forecast_all(hour)
                made = hour
            remaining = (made + _HOUR + AFTER_THE_HOUR - self._clock.now()).total_seconds()
            # Where a zone's clock goes back by half an hour, an hour is longer.
            pause = min(remaining, LONGEST_SLEEP_S) if remaining > 0.0 else LONGEST_SLEEP_S
            await self._clock.sleep_until(self._clock.monotonic() + pause, Phase.CALENDAR, "hourly forecasts")

    async def train(self) -> None:
        """The night's training, and at once the forecast of the day that begins."""
        at = self._full_hour(self._clock.now())
        async with self._turn:
            for each in self.all:
                await self._train(each, at)
        await self._forecast_all(at)

    def _full_hour(self, moment: datetime) -> datetime:
        """The beginning of its hour on the building's clock, which in some zones is no full hour of UTC."""
        return moment.astimezone(self._site.zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)

    # --- one target

    async def _train(self, each: LoadForecast, at: datetime) -> None:
        assert self._forecaster is not None
        history = await self._history(each, "training", at - LEARNED_FROM, at)
        if history is None:
            return
        trained = await self._asked(each, "training", self._forecaster.train, TrainingJob(history, at))
        if trained is None:
            return
        each.trained = trained
        try:
            await self._store.save_trained(each.target.point, trained)
        except EnvironmentProblem as error:
            log.warning("what was learned of %s is not stored: %s", each.target.point, error)
        reason = trained.reason
        self._note(
            each,
            {
                "step": "trained",
                "source": trained.source.value,
                "reason": reason.en,
                "reason_zh": reason.zh,
                "score": None if trained.score is None else _score_body(trained.score),
            },
        )

    async def _forecast_all(self, at: datetime) -> None:
        async with self._turn:
            for each in self.all:
                await self._score(each, at)
                if each.trained is not None and (each.forecast is None or each.forecast.start != at):
                    await self._forecast(each, each.trained, at)

    async def _forecast(self, each: LoadForecast, trained: Trained, at: datetime) -> None:
        assert self._forecaster is not None
        history = await self._history(each, "forecast", at - LOOKED_BACK_UPON, at)
        if history is None:
            return
        forecast = await self._asked(each, "forecast", self._forecaster.predict, ForecastJob(history, trained, at))
        if forecast is None:
            return
        each.forecast = forecast
        each.waiting.append(forecast)
        self._note(
            each,
            {
                "step": "made",
                "start": forecast.start.isoformat(),
                "step_s": STEP.total_seconds(),
                "source": forecast.source.value,
                "values": [rounded(value) for value in forecast.values],
            },
        )

    async def _score(self, each: LoadForecast, at: datetime) -> None:
        """All whose 24 hours are over; those that ended long ago, while nobody looked, too."""
        due = [forecast for forecast in each.waiting if forecast.end <= at]
        if not due:
            return
        history = await self._history(each, "score", min(forecast.start for forecast in due) - timedelta(days=8), at)
        if history is None:
            return
        self._mended(each, "score")
        for forecast in due:
            each.waiting.remove(forecast)
            result = outcome(forecast, history.load, self._site.zone)
            each.score = {
                "start": forecast.start.isoformat(),
                "source": forecast.source.value,
                **_score_body(result),
            }
            self._note(each, {"step": "scored", **each.score})

    # --- history and worker

    async def _history(self, each: LoadForecast, step: str, start: datetime, end: datetime) -> History | None:
        """Load and temperature; beyond `end` nobody knows the weather. None, and told, where history cannot be read."""
        target, tariff = each.target, self._site.tariff
        try:
            load = await self._quarter_hours.read(target.point, start, end)
            temperature = _NOTHING
            if target.temperature is not None:
                temperature = await self._quarter_hours.read(target.temperature, start, end)
        except HistorianError as error:
            self._failed(each, step, str(error))
            return None
        holidays: frozenset[date] = frozenset() if tariff is None else tariff.holidays
        return History(load, temperature, self._site.zone, dict.fromkeys(sorted(holidays), False))

    async def _asked(
        self, each: LoadForecast, step: str, function: Callable[[JobT], AnswerT], job: JobT
    ) -> AnswerT | None:
        """The worker's answer; None, and told, where there is none."""
        assert self._forecaster is not None
        try:
            answer = await self._workers.run(attempt, _Asked(function, job), self._forecaster.within)
        except WorkerFailed as error:
            self._failed(each, step, str(error))
            return None
        if isinstance(answer, Unusable):
            self._failed(each, step, answer.words)
            return None
        self._mended(each, step)
        return answer

    # --- telling

    def _failed(self, each: LoadForecast, step: str, cause: str) -> None:
        each.failures += 1
        if step not in each.troubles:
            log.warning("%s of %s: no new one: %s", step, each.target.point, cause)
            self._note(each, {"step": "failed", "of": step, "cause": cause})
        each.troubles[step] = cause

    def _mended(self, each: LoadForecast, step: str) -> None:
        if each.troubles.pop(step, None) is not None:
            log.info("%s of %s: works again", step, each.target.point)

    def _note(self, each: LoadForecast, body: Mapping[str, JsonValue]) -> None:
        self._journal.note(EventKind.FORECAST, each.target.point, body)

    async def _restore_from_events(self, each: LoadForecast) -> None:
        now = self._clock.now()
        events = await self._historian.read_events(now - 2 * HORIZON, now, [EventKind.FORECAST], each.target.point)
        for event in events:
            body: Mapping[str, Any] = event.body
            if body["step"] == "made":
                start = datetime.fromisoformat(body["start"])
                each.forecast = Forecast(start, tuple(map(float, body["values"])), Source(body["source"]))
                each.waiting.append(each.forecast)
            elif body["step"] == "scored":
                start = datetime.fromisoformat(body["start"])
                each.waiting = deque(
                    (forecast for forecast in each.waiting if forecast.start != start), maxlen=MOST_WAITING
                )
                each.score = {key: body[key] for key in body if key not in ("step", "configuration")}


# --- in the worker process


class Unusable(NamedTuple):
    """What an UnusableHistory said."""

    words: str


class _Asked(NamedTuple):
    function: Callable[[Any], Any]
    argument: Any


def attempt(asked: _Asked) -> Any:
    """The answer; a history of which none can be made is no failure of the process, and comes back as Unusable."""
    try:
        return asked.function(asked.argument)
    except UnusableHistory as error:
        return Unusable(str(error))


# --- what is told


def rounded(value: float) -> float:
    """Five digits: more than any meter has."""
    return float(f"{value:.5g}")


def _score_body(score: Score) -> dict[str, JsonValue]:
    """JSON has no NaN."""
    figures: dict[str, float] = {
        "mean_load": score.mean_load,
        "mean_absolute_error": score.mean_absolute_error,
        "root_mean_square_error": score.root_mean_square_error,
        "normalised_bias": score.normalised_bias,
        "baseline_mean_absolute_error": score.baseline_mean_absolute_error,
        "baseline_root_mean_square_error": score.baseline_root_mean_square_error,
        "skill": score.skill,
    }
    return {"hours": score.hours, **{name: rounded(each) if each == each else None for name, each in figures.items()}}
