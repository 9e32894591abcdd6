"""The last word on a hit, where an indicator needs more than a pattern.

Each function takes a document and a span of its cleaned text, and says whether the hit stands.
"""

from __future__ import annotations

import re
from functools import cache

from scamdetect import data
from scamdetect.preprocessing import Document
from scamdetect.preprocessing.entities import money

__all__ = ["pay_out_of_line"]

MARGIN = 1.6
"""A pay is out of line above this multiple of the highest lawful pay known for such work at home."""

_CLERK = re.compile(
    r"\b(?:cs|customer servi[cs]e|admin|administrasi|operator|marketing|telemarketing|data entry|live ?chat|chat"
    r"|sosmed|media sosial|input data|ketik|mengetik|penerjemah|translator|host|online|kantor|office|resepsionis)\b"
)
_MANUAL = re.compile(
    r"\b(?:koki|masak|cook|dapur|kitchen|kasir|waiter|waitress|pelayan|driver|supir|sopir|cleaning|cuci|gudang"
    r"|toko|barista|pabrik|jaga|art|asisten rumah|kebersihan|ob|helper|packing|laundry|spg|karyawan|karyawati)\b"
)
_SKILLED = re.compile(
    r"\b(?:engineer|insinyur|dokter|perawat|nurse|manager|manajer|programmer|developer|welder|pilot|nakhoda|mualim"
    r"|sertifikat|eps|topik|tokutei|ginou|kaigo|jlpt|jft|n4|n3|director|direktur|s1|d3|sarjana|akuntan|arsitek"
    r"|komisi penjualan|closing|properti|asuransi|agen|sales)\b"
)
_LAWFUL_ABROAD = re.compile(
    r"\b(?:korea|jepang|taiwan|hong ?kong|singapura|jerman|australia|kanada|inggris|arab|saudi|qatar|kuwait|brunei"
    r"|malaysia|belanda|amerika|polandia|selandia|papua nugini|maladewa|kapal pesiar|cruise|offshore|tambang)\b"
)


@cache
def _home_pay() -> dict[str, float]:
    """Highest lawful pay at home by group of positions, in rupiah a month."""
    highest: dict[str, float] = {}
    for row in data.rows("lawful_pay.tsv"):
        if row["place"].startswith("ID"):
            group = row["position_group"]
            highest[group] = max(highest.get(group, 0.0), float(row["high"]))
    return highest


def pay_out_of_line(document: Document, start: int, end: int) -> bool:
    """Say whether the money at a span is far above what the named work fetches lawfully.

    Only work that asks for little is compared (clerks, kitchens, shops); a skilled job, or a country
    where pay is known to be high, is left alone, and so is an amount for no period or a yearly one.
    """
    text = document.text
    if _SKILLED.search(text) or _LAWFUL_ABROAD.search(text):
        return False
    if _CLERK.search(text):
        group = "clerk"
    elif _MANUAL.search(text):
        group = "hospitality"
    else:
        return False
    limit = _home_pay().get(group, _home_pay().get("minimum", 6e6)) * MARGIN
    for amount in money(text[max(0, start - 30) : end + 30]):
        monthly = amount.monthly_rupiah()
        if monthly is None or amount.period == "year":
            continue
        if limit <= monthly[1] <= 2e8 or (amount.currency in ("USD", "USDT") and 7e6 <= monthly[1] <= 2e8):
            return True
    return False
