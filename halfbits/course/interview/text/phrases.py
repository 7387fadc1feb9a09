"""What the drills say, in both languages: one table for terminal, JupyterLab and the book."""

from __future__ import annotations

from datetime import timedelta

PHRASES: dict[str, dict[str, str]] = {
    # Flashcards
    "show": {"en": "Show the answer", "zh": "显示答案"},
    "say": {"en": "Say your answer aloud first.", "zh": "先把答案说出来。"},
    "points": {"en": "A strong answer says", "zh": "好的回答会说到"},
    "full": {"en": "Full answer", "zh": "完整回答"},
    "again": {"en": "again", "zh": "忘了"},
    "hard": {"en": "hard", "zh": "吃力"},
    "good": {"en": "good", "zh": "记得"},
    "easy": {"en": "easy", "zh": "轻松"},
    "due": {"en": "due", "zh": "到期"},
    "new": {"en": "new", "zh": "新卡"},
    "reviewed": {"en": "reviewed", "zh": "已复习"},
    "cards_done": {"en": "Nothing more for now.", "zh": "暂时没有要复习的卡片了。"},
    "next_at": {"en": "The next card is due in {span}.", "zh": "下一张卡片 {span}后到期。"},
    "saved": {
        "en": "{count} reviewed; everything is saved.",
        "zh": "已复习 {count} 张，进度已全部保存。",
    },
    "more": {"en": "Start more new cards", "zh": "再学几张新卡"},
    "export": {"en": "Save to a file", "zh": "导出到文件"},
    "import": {"en": "Read from a file", "zh": "从文件导入"},
    "imported": {
        "en": "Cards taken from the file: {count}.",
        "zh": "从文件导入了 {count} 张卡片。",
    },
    "not_cards": {
        "en": "This is not a file of flashcards; nothing was changed.",
        "zh": "这不是卡片进度文件，没有改动任何内容。",
    },
    "not_stored": {
        "en": "The browser keeps nothing for this page; save to a file before you leave.",
        "zh": "浏览器不为本页保存数据，离开前请导出到文件。",
    },
    "topic": {"en": "Topic", "zh": "主题"},
    "all": {"en": "All", "zh": "全部"},
    # Mock interview
    "mock": {"en": "Mock interview", "zh": "模拟面试"},
    "no_script": {
        "en": "This page needs JavaScript. In a terminal:",
        "zh": "本页需要 JavaScript。也可以在终端里运行：",
    },
    "begin": {"en": "Begin", "zh": "开始"},
    "resume": {"en": "Taken up where it stopped.", "zh": "从上次中断处继续。"},
    "minutes": {"en": "Minutes", "zh": "时长（分钟）"},
    "level": {"en": "Level", "zh": "级别"},
    "seed": {"en": "Seed", "zh": "随机种子"},
    "question": {"en": "Question", "zh": "问题"},
    "asks_on": {"en": "The interviewer asks on", "zh": "面试官继续深入"},
    "follow_up": {"en": "Follow-up", "zh": "追问"},
    "missing": {"en": "You did not say: {point}", "zh": "你没有说到：{point}"},
    "answer": {"en": "Answer", "zh": "参考回答"},
    "aloud": {"en": "Answer aloud, then go on.", "zh": "说出你的回答，然后继续。"},
    "spoken": {"en": "I have answered", "zh": "我答完了"},
    "tick": {"en": "Tick what you said", "zh": "勾选你说到的要点"},
    "go_on": {"en": "Go on", "zh": "继续"},
    "well": {"en": "Answered well?", "zh": "这个追问答得好吗？"},
    "yes": {"en": "Yes", "zh": "好"},
    "no": {"en": "No", "zh": "不好"},
    "of": {"en": "of", "zh": "/"},
    "time": {"en": "Time", "zh": "用时"},
    "stop": {"en": "stop", "zh": "停止"},
    "new_mock": {"en": "New interview", "zh": "重新开始"},
    "sure": {"en": "Give up this interview?", "zh": "放弃这次面试吗？"},
    "report": {"en": "Report", "zh": "面试报告"},
    "score": {"en": "Score", "zh": "得分"},
    "total": {"en": "In all", "zh": "合计"},
    "change": {"en": "Since last time", "zh": "较上次"},
    "weakest": {"en": "Weakest topics: {topics}.", "zh": "最弱的主题：{topics}。"},
    "comma": {"en": ", ", "zh": "、"},
    "none_weak": {"en": "No topic below 80%.", "zh": "没有低于 80% 的主题。"},
    "missed": {"en": "Points you missed", "zh": "漏掉的要点"},
    "lessons": {"en": "Lessons to read next", "zh": "接下来读的课程"},
    "exercises": {"en": "Exercises to do next", "zh": "接下来做的练习"},
    "not_reached": {"en": "Not reached", "zh": "没有问到"},
    "earlier": {"en": "Earlier interviews", "zh": "以往的面试"},
    "nothing_fits": {
        "en": "No question fits; give it more minutes.",
        "zh": "没有合适的问题，请增加时长。",
    },
    "interrupted": {
        "en": "Saved. The same command goes on here:",
        "zh": "已保存。用同一条命令从这里继续：",
    },
    "keys_tick": {
        "en": "keys 1 to {n} tick, Enter goes on, q stops",
        "zh": "按 1 到 {n} 勾选，回车继续，q 停止",
    },
    "keys_ask": {"en": "space when you have answered, q stops", "zh": "答完按空格，q 停止"},
    "keys_judge": {"en": "y or n, q stops", "zh": "y 好，n 不好，q 停止"},
    "keys_card": {
        "en": "space shows the answer, q stops",
        "zh": "空格显示答案，q 停止",
    },
    "keys_rate": {"en": "f full answer, q stops", "zh": "f 完整回答，q 停止"},
    # Plan
    "plan": {"en": "Practice plan", "zh": "练习计划"},
    "day": {"en": "day", "zh": "天"},
    "what": {"en": "what", "zh": "内容"},
    "min": {"en": "min", "zh": "分钟"},
    "lesson": {"en": "lesson: {name}", "zh": "课程：{name}"},
    "exercise": {"en": "exercise: {name}", "zh": "练习：{name}"},
    "cards": {
        "en": "flashcards: {due} due, {new} new",
        "zh": "卡片：{due} 张到期，{new} 张新卡",
    },
    "hold_mock": {"en": "mock interview: {name}", "zh": "模拟面试：{name}"},
    "part": {"en": "a part", "zh": "一部分"},
    "solved": {"en": "solved already", "zh": "已完成"},
    "left_out": {
        "en": "Does not fit; left out, least important first:",
        "zh": "时间不够，按重要性从低到高舍去：",
    },
    "left_out_item": {
        "en": "{name}, {minutes} min, importance {importance} of 3",
        "zh": "{name}，{minutes} 分钟，重要性 {importance}/3",
    },
    "cards_wait": {
        "en": "{count} cards are still overdue at the end.",
        "zh": "到最后仍有 {count} 张卡片逾期。",
    },
    "all_fits": {"en": "Everything fits.", "zh": "全部排得下。"},
    "tell_read": {
        "en": "Solved exercises leave the plan by themselves; tell it a lesson that you have read:",
        "zh": "做完的练习会自动从计划中去掉；读完的课程请这样告诉它：",
    },
}  # fmt: skip


def phrases(language: str) -> dict[str, str]:
    """All phrases of one language by name."""
    return {name: phrase[language] for name, phrase in PHRASES.items()}


def span(length: timedelta, language: str) -> str:
    """How long something takes, in one unit: 10 min, 3 h, 8 d; 10 分钟, 3 小时, 8 天."""
    minutes = max(0, round(length.total_seconds() / 60))
    units = {"en": ("min", "h", "d"), "zh": ("分钟", "小时", "天")}[language]
    if minutes < 60:
        return f"{max(1, minutes)} {units[0]}"
    if minutes < 24 * 60:
        return f"{round(minutes / 60)} {units[1]}"
    return f"{round(minutes / (24 * 60))} {units[2]}"
