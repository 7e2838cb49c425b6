"""Vote: several overseers judge independently, and a rule makes one verdict from theirs."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from oversight import Amount, Human, OverseerSlot, Panel, Rule, Tries


class Vote(Panel):
    """Members may be people, models or whole protocols. Identical members are different people.

    No vote removes what all members misunderstand. The average of k people of equal accuracy has
    r_k = r / sqrt(r^2 + (1 - r^2) (s + (1 - s) / k)), which settles at the shared part (MODEL 3).
    `oversight.Panel` explains the rules.
    """

    name: ClassVar[str] = "vote"
    citation: ClassVar[str] = "Dawid & Skene 1979, Applied Statistics 28, for the rule of that name"
    tries: ClassVar[Tries] = {"rule": ("majority", "average", "confidence", "dawid-skene")}

    members: tuple[OverseerSlot, ...] = Field((Human(), Human(), Human()), min_length=1)
    rule: Rule = "majority"
    weights: tuple[Amount, ...] | None = Field(
        None, description="of each member's vote; all alike if left out"
    )

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights is None:
            return self
        if len(self.weights) != len(self.members):
            raise ValueError(
                f"{len(self.weights)} weights for {len(self.members)} members; expected one each"
            )
        if self.rule == "dawid-skene":
            raise ValueError("dawid-skene finds its own weights; leave weights out")
        if not any(self.weights):
            raise ValueError("every weight is 0; expected one above 0")
        return self

    def unfolded(self) -> Self:
        # Members that draw alike are siblings, whatever the strong model does in each.
        alike = [(member.identity(of_draws=True), member.copy_numbers()) for member in self.members]
        members = [
            member.sibling(alike[:i].count(alike[i])) for i, member in enumerate(self.members)
        ]
        return self.model_copy(update={"members": tuple(members)})
