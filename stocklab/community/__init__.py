"""The community: posts, comments, likes, search, moderation; the watch list and the news of many symbols."""

from stocklab.community.boards import Period, begins_on, forget_old_windows
from stocklab.community.cards import LiveCard
from stocklab.community.comments import MAX_DEPTH, Comments, Remark
from stocklab.community.likes import Likes, Views
from stocklab.community.markdown import plain_text, safe_html
from stocklab.community.moderation import Moderation, Reason, ReportedPage, ReportedSubject, SubjectKind
from stocklab.community.news_lists import (
    MOST_FILTERS,
    Article,
    DisclosurePage,
    NewsFilter,
    NewsFilters,
    NewsLists,
    NewsPage,
)
from stocklab.community.post_lists import BoardPage, PostLists, PostPage, SearchPage
from stocklab.community.post_views import Category, Post, PostSummary
from stocklab.community.posts import Draft, Posts
from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.community.search import Found, FoundPage, Search
from stocklab.community.search_rebuild import is_in_step, rebuild_search
from stocklab.community.standing import LIMITS, Limit, Limits, community_limits, is_admin
from stocklab.community.taking_back import take_back_words
from stocklab.community.texts import BODY_LENGTH, COMMENT_LENGTH, MOST_TAGS, TAG_LENGTH, TITLE_LENGTH
from stocklab.community.threads import Comment, ThreadPage, Threads
from stocklab.community.watch import MOST_RECENT, MOST_WATCHED, NOTE_LENGTH, Recent, RecentSymbols, Watched, WatchList

__all__ = [
    "BODY_LENGTH",
    "COMMENT_LENGTH",
    "LIMITS",
    "MAX_DEPTH",
    "MOST_FILTERS",
    "MOST_RECENT",
    "MOST_TAGS",
    "MOST_WATCHED",
    "NOTE_LENGTH",
    "TAG_LENGTH",
    "TITLE_LENGTH",
    "Article",
    "BoardPage",
    "Category",
    "Comment",
    "Comments",
    "DisclosurePage",
    "Draft",
    "Found",
    "FoundPage",
    "Likes",
    "Limit",
    "Limits",
    "LiveCard",
    "Moderation",
    "NewsFilter",
    "NewsFilters",
    "NewsLists",
    "NewsPage",
    "Period",
    "Post",
    "PostLists",
    "PostPage",
    "PostSummary",
    "Posts",
    "Reason",
    "Recent",
    "RecentSymbols",
    "Refusal",
    "RefusalCode",
    "Remark",
    "ReportedPage",
    "ReportedSubject",
    "Search",
    "SearchPage",
    "SubjectKind",
    "ThreadPage",
    "Threads",
    "Views",
    "WatchList",
    "Watched",
    "begins_on",
    "community_limits",
    "forget_old_windows",
    "is_admin",
    "is_in_step",
    "plain_text",
    "rebuild_search",
    "safe_html",
    "take_back_words",
]
