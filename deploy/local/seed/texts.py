"""What the people of the sample data write. `{years}` is how long a trainer has practised."""

# ruff: noqa: RUF001 - Greek, Cyrillic and Chinese are meant, not mistaken for Latin letters

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """How a trainer who speaks it is called and writes; `locale` is Faker's, for names."""

    locale: str
    country: str
    messages: tuple[str, ...]
    summaries: tuple[str, ...]
    replies: tuple[str, ...]
    at_work: str


@dataclass(frozen=True, slots=True)
class Field:
    """A trade: who has it, a job that needs it, and what an interview asks of it."""

    profession: str
    title: str
    description: str
    instructions: str
    tool: str
    example: str
    question: str
    answer: str


LANGUAGES = {
    "en": Language(
        "en_US",
        "US",
        (
            "I have rated model answers for {years} years and give a reason for every rating.",
            "Careful reading is my trade: {years} years of it. I can start on Monday.",
        ),
        ("{years} years of practice, two of them with language models.", "Exact and on time."),
        ("Yes, twenty hours a week suit me well.", "Gladly. I can begin next Monday."),
        "The first batch is done. In four tasks both answers were wrong; I marked them.",
    ),
    "de": Language(
        "de_DE",
        "DE",
        (
            "Ich bewerte seit {years} Jahren Antworten von Modellen und begründe jedes Urteil.",
            "Genaues Lesen ist mein Beruf, seit {years} Jahren. Ich kann am Montag beginnen.",
        ),
        ("{years} Jahre Berufserfahrung, gründlich und zuverlässig.", "Genau und pünktlich."),
        ("Ja, zwanzig Stunden in der Woche passen mir gut.", "Gern, ab nächstem Montag."),
        "Das erste Paket ist fertig. Bei vier Aufgaben waren beide Antworten falsch.",
    ),
    "fr": Language(
        "fr_FR",
        "FR",
        (
            "J'évalue des réponses de modèles depuis {years} ans et je justifie chaque note.",
            "Lire avec précision est mon métier depuis {years} ans. Je peux commencer lundi.",
        ),
        ("{years} ans de pratique, rigueur et ponctualité.", "Précise et toujours à l'heure."),
        ("Oui, vingt heures par semaine me conviennent.", "Volontiers, dès lundi prochain."),
        "Le premier lot est terminé. Dans quatre tâches, les deux réponses étaient fausses.",
    ),
    "es": Language(
        "es_MX",
        "MX",
        (
            "Llevo {years} años evaluando respuestas de modelos y explico cada calificación.",
            "Leer con cuidado es mi oficio desde hace {years} años. Puedo empezar el lunes.",
        ),
        ("{years} años de experiencia, con rigor y puntualidad.", "Detallista y puntual."),
        ("Sí, veinte horas por semana me vienen bien.", "Con gusto, a partir del lunes."),
        "El primer lote está listo. En cuatro tareas las dos respuestas eran incorrectas.",
    ),
    "ja": Language(
        "ja_JP",
        "JP",
        (
            "モデルの回答を{years}年間評価してきました。すべての評価に理由を添えます。",
            "{years}年間、正確に読むことを仕事にしてきました。月曜日から始められます。",
        ),
        ("実務経験{years}年。丁寧で納期を守ります。", "正確さと締め切りを大切にしています。"),
        ("はい、週に二十時間働けます。", "喜んで。来週の月曜日から始められます。"),
        "最初の分が終わりました。四件は両方の回答が誤りでしたので、印を付けました。",
    ),
    "zh": Language(
        "zh_CN",
        "CN",
        (
            "我评估模型回答已有{years}年，每个评分都会写明理由。",
            "{years}年来我一直以仔细阅读为业，下周一就可以开始。",
        ),
        ("{years}年从业经验，认真可靠。", "细致、守时。"),
        ("可以，每周二十小时没有问题。", "很乐意，下周一就能开始。"),
        "第一批已经完成。有四个任务的两个回答都是错的，我做了标记。",
    ),
    "ar": Language(
        "ar_SA",
        "SA",
        (
            "أقيّم إجابات النماذج اللغوية منذ {years} سنوات وأعلّل كل تقييم أكتبه.",
            "القراءة الدقيقة مهنتي منذ {years} سنوات، ويمكنني أن أبدأ يوم الاثنين.",
        ),
        ("خبرة {years} سنوات مع دقة في المواعيد.", "دقة في العمل والتزام بالمواعيد."),
        ("نعم، عشرون ساعة في الأسبوع تناسبني.", "بكل سرور، ابتداءً من الاثنين القادم."),
        "انتهيت من الدفعة الأولى. في أربع مهام كانت الإجابتان خاطئتين.",
    ),
    "hi": Language(
        "hi_IN",
        "IN",
        (
            "मैं {years} साल से मॉडल के उत्तरों का मूल्यांकन करता हूँ और हर अंक का कारण लिखता हूँ।",
            "ध्यान से पढ़ना {years} साल से मेरा काम है। मैं सोमवार से शुरू कर सकता हूँ।",
        ),
        ("{years} साल का अनुभव, सटीक और समय पर।", "सटीक काम, हमेशा समय पर।"),
        ("जी हाँ, हफ़्ते में बीस घंटे मेरे लिए ठीक हैं।", "ज़रूर, अगले सोमवार से।"),
        "पहला भाग पूरा हो गया है। चार कामों में दोनों उत्तर ग़लत थे।",
    ),
    "ru": Language(
        "ru_RU",
        "KZ",
        (
            "Я {years} лет оцениваю ответы моделей и обосновываю каждую оценку.",
            "Внимательное чтение — моя работа уже {years} лет. Могу начать в понедельник.",
        ),
        ("Опыт {years} лет, внимательность и точность.", "Точность и соблюдение сроков."),
        ("Да, двадцать часов в неделю мне подходят.", "С удовольствием, со следующей недели."),
        "Первая часть готова. В четырёх заданиях оба ответа были неверны.",
    ),
    "el": Language(
        "el_GR",
        "GR",
        (
            "Αξιολογώ απαντήσεις μοντέλων εδώ και {years} χρόνια και αιτιολογώ κάθε βαθμό.",
            "Η προσεκτική ανάγνωση είναι η δουλειά μου εδώ και {years} χρόνια.",
        ),
        ("{years} χρόνια πείρας, με ακρίβεια και συνέπεια.", "Ακρίβεια και συνέπεια."),
        ("Ναι, είκοσι ώρες την εβδομάδα με βολεύουν.", "Ευχαρίστως, από την άλλη Δευτέρα."),
        "Το πρώτο μέρος είναι έτοιμο. Σε τέσσερις εργασίες ήταν λάθος και οι δύο απαντήσεις.",
    ),
}
"""Language → how its trainers write. Years are 5 to 10, so that each grammar is right."""

FIELDS = {
    "medicine": Field(
        "Physician",
        "Rate answers of a medical assistant",
        "Compare two answers to a clinical question, choose the safer one and say why. The"
        " questions come from general practice; no patient data is shown.",
        "Read both answers before you rate. A wrong dose is always the worse answer.",
        "UpToDate",
        "I found an answer that missed a pregnancy; the rating guide now asks for it.",
        "An answer is right but too technical. How do you rate it?",
        "Correctness first, then whether a patient would understand what to do.",
    ),
    "law": Field(
        "Lawyer",
        "Compare summaries of contracts",
        "Read a contract and two summaries of it, and mark every duty that a summary leaves out"
        " or makes up. Experience with commercial contracts is needed.",
        "Mark an invented duty even where it would change nothing for the reader.",
        "Westlaw",
        "I wrote the checklist with which my firm reviews supply contracts.",
        "A summary leaves out a penalty clause. How bad is that?",
        "Bad: the reader would sign without knowing the greatest risk.",
    ),
    "mathematics": Field(
        "Mathematician",
        "Write proofs that a model must follow",
        "Write short proofs at the level of a second year at university, step by step, and note"
        " the step at which a model's own proof first goes wrong.",
        "One idea to a step. Name every theorem that you use.",
        "Lean",
        "I formalised a chapter of number theory with two students.",
        "A proof is right but skips a step. Do you accept it?",
        "Only if a student of that level would fill the gap without help.",
    ),
    "programming": Field(
        "Engineer",
        "Review code that a model wrote",
        "Run the model's change, read it as you would a colleague's, and write the review that"
        " it deserves. Python or Go; every task takes about half an hour.",
        "Run the tests before you read. Say first what works.",
        "pytest",
        "I maintain a small library for parsing dates, with its tests.",
        "All tests pass, yet the code is hard to read. What do you write?",
        "I name the two places that I had to read twice, and how I would say them.",
    ),
    "translation": Field(
        "Translator",
        "Judge translations sentence by sentence",
        "Mark errors of meaning, tone and grammar in translations from English into your own"
        " language, and write the sentence as you would have said it.",
        "An error of meaning outweighs any error of style.",
        "OmegaT",
        "I translated the user guide of a hospital's booking system.",
        "A translation is fluent but adds a detail. How do you mark it?",
        "As an error of meaning: the reader cannot know that it was added.",
    ),
    "writing": Field(
        "Editor",
        "Rewrite stories for tone and clarity",
        "Take a story that a model wrote, keep its plot and give it a voice. Note in one sentence"
        " what you changed and why.",
        "Keep every fact of the plot. Cut before you add.",
        "Scrivener",
        "I edited an anthology of twelve first stories.",
        "A story is correct and dull. Where do you begin?",
        "With the verbs, and with the first thing that its hero wants.",
    ),
}
"""Skill → the trade that needs it."""

QUESTIONS = (
    "Could you start next week?",
    "How many hours a week would you have for us?",
    "Have you worked with rating guides before?",
    "Would you do a short paid trial task first?",
)
NOTES = (
    "Strong on reasons, a little slow. Ask about availability.",
    "Wrote the clearest summary of all candidates.",
    "Rate is above our range; worth a question.",
    "Good second choice if the team grows.",
)
INTERVIEW_SUMMARIES = (
    "Explains every judgement and knows where the own knowledge ends.",
    "Solid on the basics, short on examples.",
    "Quick and precise; gave two examples from practice.",
)
MISMATCH_SIGNALS = ("years_differ", "country_differs")
INVITATION_TO_CHANNEL = "Welcome, all. The rating guide is attached; ask here whatever is unclear."
GREETING_IN_CHANNEL = "Good morning, everyone."
FIRST_TASK = "Welcome aboard. Please begin with the tasks in the file attached."
TYPO, MENDED = "Please finish by Firday.", "Please finish by Friday."
MISPLACED = "This was meant for another candidate."
