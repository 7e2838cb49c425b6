"""The section `desk` of a scenario: the working day of its people."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from oversight.core.config import (
    Amount,
    Config,
    Count,
    Integer,
    Positive,
    error_at,
    expecting,
    raise_all,
)

Unlimited = Literal["unlimited"]


def _enough(value: int | Unlimited) -> int | Unlimited:
    if value == "unlimited":
        return value
    if value < 1:
        raise ValueError(f"{value} people: nobody to do the work; expected 1 or more, or unlimited")
    if value > 10_000:
        raise ValueError(f"{value} people; expected at most 10000, or unlimited")
    return value


People = Annotated[
    Integer | Unlimited,
    expecting("{value!r} is no number of people; expected 1 or more, or unlimited"),
    AfterValidator(_enough),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 10_000}, {"const": "unlimited"}]}
    ),
]


class Desk(Config):
    """The people of a protocol, their hours, and what long hours do to them (MODEL 7).

    Every human factor is off at 0. Their sizes come from other tasks than overseeing models, most
    read in secondary sources: vigilance See et al. 1995 (the size is ours), prevalence Wolfe et al.
    2005, automation bias Goddard et al. 2012. Raises a ValidationError with every error at once.

    >>> Desk(people=2, hours=40).effort(90), Desk.plain(40).effort(90)
    (0.7, 1.0)
    """

    people: People = Field(
        5, description="who share the work; unlimited gives every sitting a fresh person"
    )
    hours: Amount | None = Field(
        None, description="person-hours that are paid for a protocol and replicate, in all"
    )
    start: Amount = Field(9.0, lt=24, description="hour of the day at which people begin")
    hours_per_day: Positive = Field(
        8.0, le=24, description="hours from coming to going, breaks too"
    )
    sitting: Positive = Field(
        60.0, description="minutes that people take on in one go; always at least one item"
    )
    sitting_items: Count | None = Field(None, description="items that a sitting has at most")
    break_after: Positive | None = Field(
        120.0, description="minutes of work without a break, at the end of a sitting"
    )
    break_minutes: Amount = Field(15.0, description="minutes of rest that restore people")
    deadline: Amount | None = Field(
        None, description="hour, from the first midnight on, after which no label counts"
    )
    arrivals: Positive | None = Field(
        None, description="items an hour, at random around the clock; all at the start if left out"
    )
    urgent: Amount = Field(0.0, le=1, description="share of the items that go first")
    variation: Amount = Field(
        0.0,
        le=10,
        description="coefficient of variation of the minutes an item takes; 1 is exponential",
    )
    model_minutes: Amount = Field(
        0.0, description="minutes a model call takes, before people can begin with the item"
    )
    model_servers: Count = Field(1, description="models that work beside each other")
    skill_sd: Amount = Field(
        0.0, le=10, description="spread of these people's accuracy, in log-odds"
    )
    vigilance: Amount = Field(
        0.3, le=10, description="share of effort lost with every hour of work without rest"
    )
    vigilance_after: Amount = Field(30.0, description="minutes of work before effort falls")
    vigilance_least: Annotated[Positive, Field(le=1)] = Field(
        0.5, description="share of effort that always stays"
    )
    hurry: Amount = Field(
        0.25, le=4, description="how much faster people work, at most, when they fall behind"
    )
    backlog: Positive = Field(
        10.0, description="items waiting a person above which they have fallen behind"
    )
    prevalence: Amount = Field(
        0.27,
        le=10,
        description="shift toward the frequent answer with each tenfold rarity of the other",
    )
    automation_bias: Amount = Field(
        0.26, le=10, description="how much more often, less 1, people err after wrong advice"
    )

    @model_validator(mode="after")
    def _fits_the_day(self) -> Self:
        errors = []
        if self.start + self.hours_per_day > 24:
            message = (
                f"{self.hours_per_day:g} hours from {self.start:g} o'clock on run past midnight; "
                f"expected at most {24 - self.start:g}, or an earlier start"
            )
            errors.append(error_at(message, ("hours_per_day",)))
        if self.sitting > 60 * self.hours_per_day:
            message = (
                f"a sitting of {self.sitting:g} minutes in a day of {60 * self.hours_per_day:g}; "
                "expected no more than the day has"
            )
            errors.append(error_at(message, ("sitting",)))
        if self.deadline is not None and self.deadline <= self.start:
            message = (
                f"{self.deadline:g} o'clock comes before anybody has started, at {self.start:g}; "
                "expected a later hour (33 is nine in the morning of the second day)"
            )
            errors.append(error_at(message, ("deadline",)))
        raise_all("desk", errors)
        return self

    @staticmethod
    def plain(hours: float | None = None) -> Desk:
        """A budget of so many person-hours and nothing else: people without number, who never
        tire."""
        off = dict.fromkeys(("vigilance", "hurry", "prevalence", "automation_bias"), 0.0)
        return Desk(people="unlimited", hours=hours, **off)

    def effort(self, worked: float) -> float:
        """Effort after so many minutes without rest, in (0, 1] (MODEL 7).

        max(1 - vigilance max(worked - vigilance_after, 0) / 60, vigilance_least), rounded to the
        nearest hundredth but never below `vigilance_least`.

        >>> [Desk(vigilance=0.3).effort(worked) for worked in (0, 30, 60, 90, 1000)]
        [1.0, 1.0, 0.85, 0.7, 0.5]
        >>> Desk(vigilance=0.3, vigilance_least=0.523).effort(1000)
        0.523
        """
        lost = self.vigilance * max(worked - self.vigilance_after, 0.0) / 60
        return max(round(1 - lost, 2), self.vigilance_least)

    def pace(self, pressure: float) -> float:
        """How fast people work under a pressure, which is 1 where they just keep up: from 1 to 1 +
        hurry, rounded to the nearest hundredth. Effort per item is divided by it (MODEL 7).

        >>> [Desk(hurry=0.25).pace(pressure) for pressure in (0.5, 1.124, 3.0)]
        [1.0, 1.12, 1.25]
        """
        return min(max(round(pressure, 2), 1.0), 1 + self.hurry)
