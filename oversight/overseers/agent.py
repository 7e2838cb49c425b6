"""What a mechanism asks of a strong model: beliefs, arguments, announcements and disputes (MODEL 4,
5)."""

from __future__ import annotations

from typing import ClassVar

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance
from oversight.overseers.persuasion import Arguing


class Agent(Component):
    """A copy of the strong model U in a role. Arrays are over the claims; `chance` draws for the
    same claims."""

    can_play: ClassVar[tuple[str, ...]] = ("debater", "consultant", "critic", "assistant")

    def believe(self, claims: Claims) -> BoolArray:
        """Whether U takes each claim to be true, as it shows itself: on an item that it attacks it
        acts on a falsehood."""
        raise TypeError(f"{type(self).__name__} defines no believe(claims)")

    def perceived(self, claims: Claims) -> BoolArray:
        """What U really takes each claim to be; its arguments are as strong as this makes them."""
        return self.believe(claims)

    def argue(
        self,
        claims: Claims,
        side: BoolArray,
        rounds: int,
        arguing: Arguing,
        chance: Chance,
        who: str,
        *,
        evidence: Evidence | None = None,
        judge: Overseer | None = None,
    ) -> Argument:
        """The arguments of `who` for one side, `rounds` of them, together.

        side      the value of the claim that is argued for, bool over claims
        arguing   how arguments work: each is the best of so many candidates, by how it will strike
                  the judge
        evidence  what was heard before
        judge     who will decide
        """
        raise TypeError(f"{type(self).__name__} defines no argue(...)")

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        """The best argument for what U believes, by a ranking whose correlation with the evidence
        is given, over claims."""
        raise TypeError(f"{type(self).__name__} defines no assist(...)")

    def announce(
        self, claims: Claims, value: BoolArray, chance: Chance, *name: str | int
    ) -> IntArray:
        """A code of values for the children of each claim under which the claim has the value
        defended."""
        raise TypeError(f"{type(self).__name__} defines no announce(...)")

    def dispute(
        self, claims: Claims, announced: IntArray, chance: Chance, *name: str | int
    ) -> IntArray:
        """The index of the child whose announced value it disputes, int over claims."""
        raise TypeError(f"{type(self).__name__} defines no dispute(...)")
