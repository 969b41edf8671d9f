"""Words that mark a quick note and not a name, in lower case."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A line that begins with one of these names nobody there.
NO_NAMES = _words(
    """
    sent send sending left got gave give made make took take told tell asked ask had have has went go going gone did do
    done tried try trying heard hear received receive need needs needed want wants wanted waiting wait waited chase
    chased chasing remind reminded reminder remember check checked prepare prepared finish finished order ordered pay
    paid ship shipped deliver delivered discuss discussed agreed schedule scheduled reschedule rescheduled book booked
    invoice invoiced bill billed signed sign lost won closed close followed follow reached reach spent showed show
    presented present introduced introduce buy get find reply replied ping pinged nudge nudged poke poked thank thanked
    thanks renew renewed upsold upsell cancel cancelled canceled postpone postponed moved move confirm confirmed pitch
    pitched demoed demo negotiated negotiate dropped drop stopped stop ran bumped referred refer forward forwarded
    emailed mailed wrote write called call phoned rang texted messaged message visited visit met meet saw looked look
    set setup work worked working update updated news feedback question questions request contract quote offer proposal
    invoice po deal lead answer response callback voicemail vm linkedin fyi btw todo asap re please pls must should
    shall will would can could couldn't couldnt can't cant don't dont didn't didnt won't wont forget quick short long
    brief nice good great bad site cold warm first second last next new old no nobody not none never to i we he she they
    it you the a an my our his her their your this that these those some any every another all both and or but if when
    with for from at of on in by about until till since after before today tomorrow yesterday
    """
)
# Words that begin what is still to be done.
PLANS = _words(
    """
    todo to need needs must should shall will have remember remind don't dont please pls chase ping nudge waiting going
    schedule scheduled reschedule rescheduled book booked check prepare ask tell send invoice pay ship deliver follow
    callback reminder
    """
)
# What follows a name in small letters, and is none of it.
AFTER_NAMES = _words(
    """
    about re regarding concerning signed renewed placed ordered orders not no is was has had said says wants want wanted
    needs need needed went on to will would asked asks because since who paid likes loves loved bought agreed confirmed
    cancelled canceled called thinks thinking
    """
)
