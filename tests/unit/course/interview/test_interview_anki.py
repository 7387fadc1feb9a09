"""The Anki decks, read and updated by Anki's own library."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from fake_bank import make_bank, make_large_bank, make_question, make_text

from halfbits.course.interview.anki.deck import make_deck, stable_id, write_decks
from halfbits.course.interview.bank.bank import Bank
from halfbits.course.interview.bank.dates import changed, git
from halfbits.errors import CourseError

OLD = 1_770_000_000  # seconds
anki = pytest.importorskip("anki.collection", reason="Anki's library is not installed")


@pytest.fixture
def collection(tmp_path: Path):
    opened = anki.Collection(str(tmp_path / "collection.anki2"))
    yield opened
    opened.close()


def add(collection, path: Path):
    options = anki.ImportAnkiPackageOptions()
    request = anki.ImportAnkiPackageRequest(package_path=str(path), options=options)
    return collection.import_anki_package(request).log


def notes(collection) -> dict[str, object]:
    found = [collection.get_note(note) for note in collection.find_notes("")]
    return {note["Name"]: note for note in found}


def test_anki_reads_every_note_of_both_decks(collection, tmp_path: Path) -> None:
    bank = make_large_bank()
    for path in write_decks(bank, tmp_path / "out", OLD):
        assert len(add(collection, path).new) == len(bank.questions)
    slugs = {question.slug for question in bank.questions}
    assert set(notes(collection)) == {f"{lang}/{slug}" for lang in ("en", "zh") for slug in slugs}
    assert collection.card_count() == 2 * len(slugs)
    assert len(collection.models.all_names_and_ids()) >= 2


def test_card_shows_question_answer_points_and_tags(collection, tmp_path: Path) -> None:
    english, chinese = write_decks(make_bank(make_question("bf16", seed=1)), tmp_path, OLD)
    add(collection, english)
    add(collection, chinese)
    note = notes(collection)["zh/bf16"]
    (card,) = note.cards()
    assert "什么是 <code>bf16</code>?" in card.question()
    answer = card.answer()
    assert r"\(2^{-25}\)" in answer
    assert "<li>说出累加器</li>" in answer
    assert "<table>" in answer
    assert 'lang="zh-Hans"' in answer
    assert "[" not in answer.replace(r"\[", "")
    assert set(note.tags) == {
        "halfbits::topic::formats",
        "halfbits::level::screening",
        "halfbits::kind::explain",
        "halfbits::seed",
    }


def rewritten(bank: Bank, slug: str) -> Bank:
    """The bank with another English question text, and one more question in front."""
    text = dataclasses.replace(make_text(slug, "en"), question="Asked better?")
    changed = [
        dataclasses.replace(q, texts={**q.texts, "en": text}) if q.slug == slug else q
        for q in bank.questions
    ]
    return make_bank(*changed, make_question("added", seed=None, topics=("formats",)))


def test_newer_deck_updates_the_text_and_keeps_the_progress(collection, tmp_path: Path) -> None:
    bank = make_bank(make_question("bf16"), make_question("fp16"))
    add(collection, write_decks(bank, tmp_path / "old", OLD)[0])
    ids = {name: (note.id, note.cards()[0].id) for name, note in notes(collection).items()}
    review(collection, notes(collection)["en/bf16"])
    log = add(collection, write_decks(rewritten(bank, "bf16"), tmp_path / "new", OLD + 100)[0])
    assert (len(log.new), len(log.updated)) == (1, 2)
    found = notes(collection)
    assert "Asked better?" in found["en/bf16"]["Question"]
    assert {n: (found[n].id, found[n].cards()[0].id) for n in ids} == ids
    card = found["en/bf16"].cards()[0]
    assert (card.reps, int(card.type) > 0) == (1, True)


def review(collection, note) -> None:
    collection.decks.select(note.cards()[0].did)
    while card := collection.sched.getCard():
        if card.nid == note.id:
            collection.sched.answerCard(card, 3)
            return
        collection.sched.bury_cards([card.id])


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    bank = make_large_bank()
    first = write_decks(bank, tmp_path / "first", OLD)
    second = write_decks(bank, tmp_path / "second", OLD)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [path.name for path in first] == ["halfbits-en.apkg", "halfbits-zh.apkg"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of questions outside any repository, unless a test makes one."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name, moment in (("old", 1000), ("new", 3000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (moment, moment))
    return tmp_path


def test_newest_file_dates_questions_outside_a_repository(folder: Path) -> None:
    assert changed(folder) == 3000


def test_last_commit_dates_questions_until_they_are_edited(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if git(folder, "--version") == "unknown":
        pytest.skip("git is not installed")
    for name in ("GIT_COMMITTER_DATE", "GIT_AUTHOR_DATE"):
        monkeypatch.setenv(name, "1700000000 +0000")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    for words in (["init"], ["add", "."], [*who, "commit", "-m", "All"]):
        assert git(folder, *words) != "unknown"
    assert changed(folder) == 1_700_000_000
    (folder / "old").write_text("edited", encoding="utf-8")
    assert changed(folder) > 1_700_000_000


def test_given_date_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "5000")
    assert changed(folder) == 5000


def test_no_two_ids_are_the_same_in_the_real_bank() -> None:
    from halfbits.course.interview.bank.bank import load_bank

    bank = load_bank()
    for kind in ("note", "card"):
        guids = [note.guid for lang in ("en", "zh") for note in make_deck(bank, lang).notes]
        assert len({stable_id(kind, guid) for guid in guids}) == len(guids) > 0


def test_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="cannot be written"):
        write_decks(make_bank(make_question("bf16")), tmp_path / "file" / "out", OLD)
