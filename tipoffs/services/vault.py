"""The vault: keys made and retired, identities opened for one purpose, each opening told.

A passphrase is asked for each act and kept nowhere. Stretching it takes a moment, so it is
done outside of every transaction.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, record
from casework.services import count, refuse, storable
from notices.services import tell
from parties.models import CLOCK, AccessLog, Department
from tipoffs import policies, sealing
from tipoffs.models import Report, VaultKey, Wrap

LEAST = 12  # characters of a passphrase
TRIES, WINDOW = 10, 15 * 60  # passphrases of one officer in so many seconds, right or wrong
AT_ONCE = 2_000  # identities wrapped again in one act
PLACE = {"table": "tipoffs_report", "field": "identity"}


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


def make_key(*, passphrase, actor, lead_unit):
    """A key pair for a vault officer, the private half locked under the passphrase.

    Identities that come from now on are wrapped to it; those already there once another
    officer grants them. Raises PermissionDenied, ValidationError.
    """
    _check(policies.may_keep_vault(actor.user))
    _refuse_weak(passphrase, actor.user)
    private, public = sealing.new_pair()
    key = VaultKey(officer=actor.user, public_key=public)
    key.private_wrapped, key.salt = sealing.lock_private(private, passphrase, key.public_id)
    try:
        with transaction.atomic():
            key.save(force_insert=True)
            _told(key, "make", actor, lead_unit, _("%(who)s启用保险箱密钥"))
    except IntegrityError as error:
        raise ValidationError(_("您已经有在用的密钥。"), code="has_key") from error
    return key


def change_passphrase(*, old, new, actor):
    """Lock the officer's private key under another passphrase. Raises as `open_identity`."""
    key = _own_key(actor)
    _refuse_weak(new, actor.user)
    private = _unlocked(key, old, actor, field="old")
    wrapped, salt = sealing.lock_private(private, new, key.public_id)
    with transaction.atomic():
        key = lock(key)
        key.private_wrapped, key.salt = wrapped, salt
        key.save(update_fields=["private_wrapped", "salt"])
        record(key, "change_passphrase", actor=actor)


def make_recovery_key(*, public=None, lead_unit):
    """Register a recovery key; returns (key, private half in hexadecimal, told only here).

    With `public`, 32 bytes, the pair was made elsewhere and no private half is told.
    Raises ValidationError where it is known already, or is no sound point.
    """
    private = None
    if public is None:
        pair, public = sealing.new_pair()
        private = pair.private_bytes_raw().hex()
    known = VaultKey.objects.filter(public_key=public).exists() and _("已经登记过。")
    refuse({"public": known or (not sealing.is_sound(public) and _("这不是可用的公钥。"))})
    with transaction.atomic():
        key = VaultKey.objects.create(public_key=public)
        _told(key, "make", CLOCK, lead_unit, _("启用恢复密钥"))
    return key, private


@transaction.atomic
def retire(key, *, actor, lead_unit):
    """Take a key out of use: its private half and its wraps are destroyed.

    Refused while an identity could be opened with it alone. Raises PermissionDenied,
    IllegalMove, ValidationError.
    """
    _check(policies.may_keep_vault(actor.user))
    # all are held: of two officers who retire each other's key the second is refused
    list(VaultKey.objects.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    key = lock(key)
    if not key.can("retire"):
        raise IllegalMove(key, "retire")
    usable = VaultKey.objects.active().exclude(pk=key.pk)
    others = Wrap.objects.filter(key__in=usable).values("report")
    if key.wraps.exclude(report__in=others).exists():
        message = _("有举报人信息只能用这把密钥打开。请先授权给另一把密钥。")
        raise ValidationError(message, code="last_key")
    key.wraps.all().delete()
    key = move(key, "retire", actor=actor, private_wrapped=None, salt=None)
    _tell(key, "retire", lead_unit, _("%(who)s停用了%(key)s的保险箱密钥"), actor)
    return key


def grant(key, *, passphrase, actor, lead_unit):
    """Let the holder of `key` open what the acting officer can open: wrap it once more.

    Returns how many identities it was; at most AT_ONCE, the rest with the next act. No
    identity is decrypted. Raises PermissionDenied, ValidationError.
    """
    own = _own_key(actor)
    if not VaultKey.objects.active().filter(pk=key.pk).exists():
        raise ValidationError(_("这把密钥已经停用。"), code="retired")
    there = key.wraps.values("report")
    wraps = own.wraps.exclude(report__in=there).select_related("report", "key")
    wraps = list(wraps.order_by("pk")[:AT_ONCE])
    private = _unlocked(own, passphrase, actor)
    made = [
        Wrap(
            report=wrap.report,
            key=key,
            wrapped=sealing.wrap_again(wrap.report, wrap, private, key),
        )
        for wrap in wraps
    ]
    with transaction.atomic():
        key = lock(key)
        if not key.can("retire"):
            raise IllegalMove(key, "grant")
        # what the sweep has erased meanwhile stays erased
        rows = Report.objects.named().select_for_update(of=("self",), no_key=True).order_by("pk")
        alive = set(
            rows.filter(pk__in=[row.report_id for row in made]).values_list("pk", flat=True)
        )
        made = [row for row in made if row.report_id in alive]
        Wrap.objects.bulk_create(made, ignore_conflicts=True)
        note = _("授权 %(n)s 份") % {"n": len(made)}
        line = record(key, "grant", actor=actor, note=note)
        _tell(
            key, f"grant-{line.pk}", lead_unit, _("%(who)s授权%(key)s打开已有的举报人信息"), actor
        )
    return len(made)


# ── openings ──────────────────────────────────────────────────────────────────────────────────


def open_identity(report, *, passphrase, purpose, actor, lead_unit):
    """Who reported, as {name, phone, email, files}, for one purpose that is logged and told.

    Raises PermissionDenied for all but a vault officer who can't handle the report;
    ValidationError `passphrase` for a wrong one, `locked` after too many, `no_access` where
    it is not wrapped to the officer's key, `erased`.
    """
    _check(policies.may_open(actor.user, report))
    _refuse_no_purpose(purpose)
    own = _own_key(actor)
    wrap = _wrap_of(report, own)
    private = _unlocked(own, passphrase, actor)
    identity = sealing.unlock_identity(report, wrap, private)
    _log_opening(report, purpose.strip(), actor, lead_unit)
    return identity


def open_with_recovery_key(report, *, private, purpose, actor, lead_unit):
    """The same with the private half of the recovery key, in hexadecimal.

    Raises ValidationError.
    """
    _refuse_no_purpose(purpose)
    refused = ValidationError(_("这把恢复密钥打不开这份举报。"), code="passphrase")
    try:
        pair = sealing.private_of(private)
    except sealing.WrongKey as error:
        raise refused from error
    public = pair.public_key().public_bytes_raw()
    key = VaultKey.objects.filter(officer=None, public_key=public).first()
    if key is None:
        raise refused
    identity = sealing.unlock_identity(report, _wrap_of(report, key), pair)
    _log_opening(report, purpose.strip(), actor, lead_unit)
    return identity


def _wrap_of(report, key):
    if report.identity_sealed is None:
        words = _("匿名举报，或者举报人信息已按规定清除。")
        raise ValidationError(words, code="erased")
    wrap = report.wraps.filter(key=key).select_related("key").first()
    if wrap is None:
        words = _("这份举报早于您的密钥，请别的管理员先授权。")
        raise ValidationError(words, code="no_access")
    return wrap


@transaction.atomic
def _log_opening(report, purpose, actor, lead_unit):
    """Written before anything is shown; the journal says that it was opened, the log says why."""
    log = AccessLog.objects.create(
        row=str(report.public_id), purpose=purpose, **PLACE, **actor.columns
    )
    record(report, "open_identity", actor=actor)
    told = {"number": report.number, "who": actor.label}
    tell(
        key=f"report-opened:{log.pk}",
        department=Department.objects.get(code=lead_unit),
        title=_("举报 %(number)s 的举报人信息被查看") % told,
        text=_("%(who)s查看。") % told,
        link="/desk/vault/openings/",
    )


# ── passphrases ───────────────────────────────────────────────────────────────────────────────


def _own_key(actor):
    _check(policies.may_keep_vault(actor.user))
    key = VaultKey.objects.of_officer(actor.user)
    if key is None:
        raise ValidationError(_("您还没有保险箱密钥，请先启用。"), code="no_key")
    return key


def _unlocked(key, passphrase, actor, *, field="passphrase"):
    """The private key of an officer; every try counts, and a wrong one leaves a line."""
    rate = count("vault", actor.user.pk, limit=TRIES, seconds=WINDOW)
    if rate.is_over:
        _note_locked(key, rate, actor)
        words = _("口令试得太多，请 %(minutes)s 分钟后再试。") % {"minutes": rate.reset // 60 + 1}
        raise ValidationError({field: ValidationError(words, code="locked")})
    try:
        return sealing.unlock_private(key, passphrase)
    except sealing.WrongKey as error:
        record(key, "wrong_passphrase", actor=actor)
        words = _("口令不对。15 分钟内最多试 10 次。")
        raise ValidationError({field: ValidationError(words, code="passphrase")}) from error


def _note_locked(key, rate, actor):
    if rate.used == rate.limit + 1:
        record(key, "locked", actor=actor)


def _refuse_weak(passphrase, user):
    refuse(
        {
            "passphrase": (len(passphrase) < LEAST and _("口令至少 %(n)s 个字符。") % {"n": LEAST})
            or (len(set(passphrase)) < LEAST // 2 and _("口令太简单。"))
            or (user.check_password(passphrase) and _("口令不能和登录密码一样。"))
        }
    )


def _refuse_no_purpose(purpose):
    purpose = (purpose or "").strip()
    fits = 0 < len(purpose) <= 200 and storable(purpose)
    refuse({"purpose": not fits and _("写明查看事由，最多 200 个字。")})


def _check(allowed):
    if not allowed:
        raise PermissionDenied


def _told(key, action, actor, lead_unit, words):
    record(key, action, actor=actor)
    _tell(key, action, lead_unit, words, actor)


def _tell(key, step, lead_unit, words, actor):
    tell(
        key=f"vault-{step}:{key.pk}",
        department=Department.objects.get(code=lead_unit),
        title=words % {"who": actor.label, "key": key},
        text=_("密钥指纹 %(sign)s。") % {"sign": key.fingerprint},
        link="/desk/vault/openings/",
    )
