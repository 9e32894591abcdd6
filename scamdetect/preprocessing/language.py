"""A cheap offline check whether a text can be read as Indonesian at all."""

from __future__ import annotations

import re

from scamdetect.preprocessing.document import Document

__all__ = ["is_indonesian"]

FEWEST_WORDS = 6
SHARE = 0.03
"""Of the distinct words of an Indonesian or Malay text, far more than this are among `COMMON`."""

COMMON = frozenset(
    """ada agar aja akan aku anda apa atau awak bagi bahwa baik banyak baru bekerja belum berapa berikut besar
    bisa boleh buat bukan bulan butuh cari dalam dan dapat dari daripada dengan di dia diri gaji hari harus
    hubungi hanya ingin ini itu jadi jam jangan jika juga juta kak kalau kalian kami kamu karena karyawan ke
    kepada kerja kita kok kota langsung lagi lebih lokasi lowongan lulusan mau melalui memiliki mereka minimal
    mohon nomor nya oleh orang pada paling pekerjaan pengalaman penempatan perempuan perusahaan pria punya
    rumah saja saat sama sampai satu saya sebagai segera sekarang selamat semua seperti serta siap silakan
    sudah sedang secara siapa supaya tahun tanpa tapi telah tempat tersebut tidak tinggal tolong tugas uang
    untuk usia wanita wajib yang ya""".split()
)
"""Function words and everyday words that few other languages share (Malay does, and counts as readable)."""

_FOREIGN = re.compile(
    "[\u0370-\u04ff\u0590-\u06ff\u0900-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
_LETTER = re.compile(r"[^\W\d_]")


def is_indonesian(document: Document) -> bool:
    """Say whether a document reads as Indonesian, Malay or a mix with either.

    Few words are given the benefit of the doubt.

    >>> from scamdetect.preprocessing import read
    >>> is_indonesian(read("dicari kasir untuk toko di Depok")), is_indonesian(read("招聘客服，包吃包住，月薪八千"))
    (True, False)
    """
    raw = document.raw
    if not raw.isascii():
        sample = raw[:4000]
        foreign = len(_FOREIGN.findall(sample))
        if foreign > 5 and 2 * foreign > len(_LETTER.findall(sample)):
            return False
    words = set(document.words)
    if len(words) < FEWEST_WORDS:
        return True
    return len(COMMON.intersection(words)) >= SHARE * len(words)
