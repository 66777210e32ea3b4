"""What happens to entries, at random and through the services, for a copy to follow."""

from random import Random

from django.utils import timezone

from listings import services as listings
from listings.models import Listing
from parties.models import Actor
from tests.builders import DAY, published_black, red_published, reviewer

# Text that trips up who splits lines, masks, or counts characters carelessly.
GROUNDS = (
    "拖欠工资\u2028逾期未付",
    "\u0085新一行",
    '引号"与\\反斜线',
    "换行\n与\t制表",
    "𠮷野家示例",
    "\u00a0",
)


class History:
    """Acts of a seed: the same seed, the same acts."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.acts = {
            self.publish: 4,
            self.recognise: 1,
            self.correct: 3,
            self.annotate: 2,
            self.withdraw: 2,
            self.repair: 1,
            self.expire: 1,
        }
        self.actor = Actor.of(reviewer())
        self.today = timezone.localdate()

    def go_on(self, times):
        for _ in range(times):
            self.random.choices([*self.acts], [*self.acts.values()])[0]()

    def one(self):
        """An entry in force, or a new one where there is none."""
        rows = Listing.objects.public(self.today).order_by("pk")
        return rows[self.random.randrange(n)] if (n := rows.count()) else self.publish()

    def publish(self):
        return published_black(ground=f"示例：{self.random.choice(GROUNDS)}。")

    def recognise(self):
        return red_published()

    def correct(self):
        ground = f"更正{self.random.random()}{self.random.choice(GROUNDS)}。"
        listings.correct(self.one(), {"ground": ground}, actor=self.actor, note="示例")

    def annotate(self):
        entry = self.one()
        listings.annotate(entry, disputed=not entry.disputed, actor=self.actor)

    def withdraw(self):
        listings.withdraw(
            self.one(), reason="error", actor=self.actor, note="示例", today=self.today
        )

    def repair(self):
        listings.repair(self.one(), actor=self.actor, note="示例", today=self.today)

    def expire(self):
        """The sweep, as if a few entries' last day were over."""
        last = self.one().visible_until
        if Listing.objects.filter(visible_until__lte=last).count() < 20:
            listings.expire_lapsed(today=last + DAY)
